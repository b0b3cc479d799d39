"""Where the two syntaxes of EN 16931 have what: UN/CEFACT CII (also as ZUGFeRD 1 had it) and UBL 2.1. Names without namespaces.

The mapping is that of EN 16931-3-2 (UBL) and 3-3 (CII); https://docs.peppol.eu/poacc/billing/3.0/ has the former to read.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree.ElementTree import Element

from pipelines.media.documents.e_invoice import EInvoice

CII: Final = frozenset({"CrossIndustryInvoice", "CrossIndustryDocument"})
UBL: Final = frozenset({"Invoice", "CreditNote"})

# What elements of ZUGFeRD 1 are called today. Those of lines and of the header had one name.
TODAY: Final[Mapping[str, str]] = {
    "SpecifiedExchangedDocumentContext": "ExchangedDocumentContext",
    "HeaderExchangedDocument": "ExchangedDocument",
    "SpecifiedSupplyChainTradeTransaction": "SupplyChainTradeTransaction",
    "ApplicableSupplyChainTradeAgreement": "ApplicableHeaderTradeAgreement",
    "ApplicableSupplyChainTradeDelivery": "ApplicableHeaderTradeDelivery",
    "ApplicableSupplyChainTradeSettlement": "ApplicableHeaderTradeSettlement",
    "SpecifiedSupplyChainTradeAgreement": "SpecifiedLineTradeAgreement",
    "SpecifiedSupplyChainTradeDelivery": "SpecifiedLineTradeDelivery",
    "SpecifiedSupplyChainTradeSettlement": "SpecifiedLineTradeSettlement",
    "SpecifiedTradeSettlementMonetarySummation": "MonetarySummation",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "MonetarySummation",
    "SpecifiedTradeSettlementLineMonetarySummation": "MonetarySummation",
    "ApplicablePercent": "RateApplicablePercent",
}

_CII_TOTALS: Final = {
    "line_total": "LineTotalAmount",
    "allowance_total": "AllowanceTotalAmount",
    "charge_total": "ChargeTotalAmount",
    "net_total": "TaxBasisTotalAmount",
    "tax_total": "TaxTotalAmount",
    "gross_total": "GrandTotalAmount",
    "prepaid": "TotalPrepaidAmount",
    "rounding": "RoundingAmount",
    "due": "DuePayableAmount",
}
_UBL_TOTALS: Final = {
    "line_total": "LineExtensionAmount",
    "allowance_total": "AllowanceTotalAmount",
    "charge_total": "ChargeTotalAmount",
    "net_total": "TaxExclusiveAmount",
    "gross_total": "TaxInclusiveAmount",
    "prepaid": "PrepaidAmount",
    "rounding": "PayableRoundingAmount",
    "due": "PayableAmount",
}
# Lines that stand for others (GROUP) or only say something (INFORMATION): Factur-X Extended, BT-X-8.
_NO_LINES: Final = frozenset({"GROUP", "INFORMATION"})


def cii(root: Element) -> EInvoice:
    """Read a `CrossIndustryInvoice`. Values may be empty."""
    head, trade = _at(root, "ExchangedDocument"), _at(root, "SupplyChainTradeTransaction")
    agreed, delivered, settled = (
        _at(trade, f"ApplicableHeaderTrade{what}") for what in ("Agreement", "Delivery", "Settlement")
    )
    currency = _text(settled, "InvoiceCurrencyCode")
    seller, buyer = _at(agreed, "SellerTradeParty"), _at(agreed, "BuyerTradeParty")
    account = _payee(settled, "SpecifiedTradeSettlementPaymentMeans", "PayeePartyCreditorFinancialAccount")
    order = "BuyerOrderReferencedDocument"
    fields = {
        "number": _text(head, "ID"),
        "issue_date": _date(head, "IssueDateTime"),
        "delivery_date": _date(delivered, "ActualDeliverySupplyChainEvent/OccurrenceDateTime")
        or _date(settled, "BillingSpecifiedPeriod/EndDateTime"),
        "due_date": _date(settled, "SpecifiedTradePaymentTerms/DueDateDateTime"),
        "payment_terms": _texts(settled, "SpecifiedTradePaymentTerms/Description"),
        "order_number": _text(agreed, f"{order}/IssuerAssignedID", f"{order}/ID", "BuyerReference"),
        "seller": _text(seller, "Name"),
        "seller_address": _cii_address(seller),
        "seller_vat_id": _cii_tax_id(seller),
        "buyer": _text(buyer, "Name"),
        "buyer_address": _cii_address(buyer),
        "buyer_vat_id": _cii_tax_id(buyer),
        "currency": currency,
        **{name: _amount(settled, f"MonetarySummation/{path}", currency) for name, path in _CII_TOTALS.items()},
        "iban": _text(account, "PayeePartyCreditorFinancialAccount/IBANID", "PayeePartyCreditorFinancialAccount/ProprietaryID"),
        "bic": _text(account, "PayeeSpecifiedCreditorFinancialInstitution/BICID"),
        "payment_reference": _text(settled, "PaymentReference"),
    }
    taxes = [
        {
            "rate": _text(tax, "RateApplicablePercent"),
            "basis": _amount(tax, "BasisAmount", currency),
            "tax": _amount(tax, "CalculatedAmount", currency),
        }
        for tax in settled.iterfind("ApplicableTradeTax")
    ]
    lines = [_cii_line(line, currency) for line in trade.iterfind("IncludedSupplyChainTradeLineItem") if _is_line(line)]
    profile = _text(root, "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID")
    rows = {"taxes": tuple(taxes), "line_items": tuple(lines)}
    return EInvoice(syntax="CII", profile=profile, type_code=_text(head, "TypeCode"), fields=fields, rows=rows)


def ubl(root: Element) -> EInvoice:
    """Read an `Invoice` or a `CreditNote`. Values may be empty."""
    currency = _text(root, "DocumentCurrencyCode")
    seller, buyer = _at(root, "AccountingSupplierParty/Party"), _at(root, "AccountingCustomerParty/Party")
    means = _payee(root, "PaymentMeans", "PayeeFinancialAccount")
    branch = "PayeeFinancialAccount/FinancialInstitutionBranch"
    fields = {
        "number": _text(root, "ID"),
        "issue_date": _text(root, "IssueDate"),
        "delivery_date": _text(root, "Delivery/ActualDeliveryDate", "InvoicePeriod/EndDate"),
        "due_date": _text(root, "DueDate", "PaymentMeans/PaymentDueDate"),
        "payment_terms": _texts(root, "PaymentTerms/Note"),
        "order_number": _text(root, "OrderReference/ID", "BuyerReference"),
        "seller": _text(seller, "PartyLegalEntity/RegistrationName", "PartyName/Name"),
        "seller_address": _ubl_address(seller),
        "seller_vat_id": _ubl_tax_id(seller),
        "buyer": _text(buyer, "PartyLegalEntity/RegistrationName", "PartyName/Name"),
        "buyer_address": _ubl_address(buyer),
        "buyer_vat_id": _ubl_tax_id(buyer),
        "currency": currency,
        **{name: _amount(root, f"LegalMonetaryTotal/{path}", currency) for name, path in _UBL_TOTALS.items()},
        "tax_total": _amount(root, "TaxTotal/TaxAmount", currency),
        "iban": _text(means, "PayeeFinancialAccount/ID"),
        "bic": _text(means, f"{branch}/FinancialInstitution/ID", f"{branch}/ID"),
        "payment_reference": _text(root, "PaymentMeans/PaymentID"),
    }
    taxes = [
        {
            "rate": _text(tax, "TaxCategory/Percent", "Percent"),
            "basis": _amount(tax, "TaxableAmount", currency),
            "tax": _amount(tax, "TaxAmount", currency),
        }
        for total in root.iterfind("TaxTotal")
        if _amount(total, "TaxAmount", currency)
        for tax in total.iterfind("TaxSubtotal")
    ]
    lines = [_ubl_line(line, currency) for line in root if line.tag in {"InvoiceLine", "CreditNoteLine"}]
    code = _text(root, "InvoiceTypeCode", "CreditNoteTypeCode") or ("381" if root.tag == "CreditNote" else "380")
    rows = {"taxes": tuple(taxes), "line_items": tuple(lines)}
    return EInvoice(syntax="UBL", profile=_text(root, "CustomizationID"), type_code=code, fields=fields, rows=rows)


def _cii_line(line: Element, currency: str) -> Mapping[str, str]:
    agreed, settled = _at(line, "SpecifiedLineTradeAgreement"), _at(line, "SpecifiedLineTradeSettlement")
    billed = _at(line, "SpecifiedLineTradeDelivery/BilledQuantity")
    allowances = [each for each in settled.iterfind("SpecifiedTradeAllowanceCharge") if not _is_charge(each)]
    return {
        "description": _text(line, "SpecifiedTradeProduct/Name", "SpecifiedTradeProduct/Description"),
        "quantity": _text(billed, "."),
        "unit": billed.get("unitCode", ""),
        "unit_price": _amount(agreed, "NetPriceProductTradePrice/ChargeAmount", currency),
        "price_basis_quantity": _text(
            agreed, "NetPriceProductTradePrice/BasisQuantity", "GrossPriceProductTradePrice/BasisQuantity"
        ),
        "discount": _sum(_amount(each, "ActualAmount", currency) for each in allowances),
        "tax_rate": _text(settled, "ApplicableTradeTax/RateApplicablePercent"),
        "line_total": _amount(settled, "MonetarySummation/LineTotalAmount", currency),
    }


def _ubl_line(line: Element, currency: str) -> Mapping[str, str]:
    quantity = _at(line, "InvoicedQuantity", "CreditedQuantity")
    allowances = [each for each in line.iterfind("AllowanceCharge") if not _is_charge(each)]
    return {
        "description": _text(line, "Item/Name", "Item/Description"),
        "quantity": _text(quantity, "."),
        "unit": quantity.get("unitCode", ""),
        "unit_price": _amount(line, "Price/PriceAmount", currency),
        "price_basis_quantity": _text(line, "Price/BaseQuantity"),
        "discount": _sum(_amount(each, "Amount", currency) for each in allowances),
        "tax_rate": _text(line, "Item/ClassifiedTaxCategory/Percent"),
        "line_total": _amount(line, "LineExtensionAmount", currency),
    }


def _is_line(line: Element) -> bool:
    return _text(line, "AssociatedDocumentLineDocument/LineStatusReasonCode") not in _NO_LINES


def _is_charge(each: Element) -> bool:
    return _text(each, "ChargeIndicator/Indicator", "ChargeIndicator").lower() in {"true", "1"}


def _cii_address(party: Element) -> str:
    place = _at(party, "PostalTradeAddress")
    lines = [_text(place, name) for name in ("LineOne", "LineTwo", "LineThree")]
    city = f"{_text(place, 'PostcodeCode')} {_text(place, 'CityName')}".strip()
    return ", ".join(filter(None, (*lines, city, _text(place, "CountrySubDivisionName"), _text(place, "CountryID"))))


def _ubl_address(party: Element) -> str:
    place = _at(party, "PostalAddress")
    lines = [_text(place, name) for name in ("StreetName", "AdditionalStreetName", "AddressLine/Line")]
    city = f"{_text(place, 'PostalZone')} {_text(place, 'CityName')}".strip()
    return ", ".join(filter(None, (*lines, city, _text(place, "CountrySubentity"), _text(place, "Country/IdentificationCode"))))


def _cii_tax_id(party: Element) -> str:
    """Return the VAT id, else the tax number."""
    path = "SpecifiedTaxRegistration/ID"
    return _text(party, f"{path}[@schemeID='VA']", f"{path}[@schemeID='FC']", path)


def _ubl_tax_id(party: Element) -> str:
    """Return the VAT id, else the tax number."""
    schemes = {_text(each, "TaxScheme/ID").upper(): _text(each, "CompanyID") for each in party.iterfind("PartyTaxScheme")}
    return schemes.get("VAT") or next(iter(schemes.values()), "")


def _payee(node: Element, means: str, account: str) -> Element:
    """Return the first way to pay that names the payee's account; the customer's own account is in others (direct debit)."""
    every = node.findall(means)
    return next((each for each in every if each.find(account) is not None), Element(means))


def _amount(node: Element, path: str, currency: str) -> str:
    """Return the amount in the invoice's currency: totals occur twice where tax is due in another one."""
    ours = (each for each in node.iterfind(path) if not currency or each.get("currencyID", currency) == currency)
    return _text(next(ours, Element("nothing")), ".")


def _sum(amounts: Iterator[str]) -> str:
    """Return one amount as it is written, several in one: a line has room for one discount."""
    every = [amount for amount in amounts if amount]
    if len(every) < 2:
        return "".join(every)
    try:
        return str(sum(map(Decimal, every)))
    except InvalidOperation:
        return ""


def _date(node: Element, path: str) -> str:
    """Return a date as ISO 8601; as it is written where it is not in format 102, which is YYYYMMDD."""
    written = _text(node, f"{path}/DateTimeString", f"{path}/DateTime", path)
    if len(written) == 8 and written.isdecimal():
        return f"{written[:4]}-{written[4:6]}-{written[6:]}"
    return written


def _texts(node: Element, path: str) -> str:
    return "\n".join(filter(None, (_text(each, ".") for each in node.iterfind(path))))


def _text(node: Element, *paths: str) -> str:
    """Return the text of the first path that has one."""
    return next(filter(None, ((node.findtext(path) or "").strip() for path in paths)), "")


def _at(node: Element, *paths: str) -> Element:
    """Return the first element that is there, else an empty one, in which nothing is found."""
    return next((found for path in paths if (found := node.find(path)) is not None), Element("nothing"))
