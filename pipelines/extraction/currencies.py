"""Currencies: their ISO 4217 codes, the signs and names that stand for them, and which of several is meant.

Source: ISO 4217 list one (2026), with the Bulgarian lev and the Croatian kuna, which older documents have; signs as in Unicode
CLDR (https://cldr.unicode.org) and in common use.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from pipelines.extraction.countries import country_of

_CODES: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP
CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD
JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL
THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: Final = frozenset(_CODES.split())

# Decimal places of the minor unit; all others have two.
_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"

# A sign, then what it may stand for. Where there are several, the document's currency or its country decides.
_SIGNS: Final = """
$ USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP BRL BBD BMD BND BSD BZD CUP DOP FJD GYD JMD KYD LRD NAD SBD SRD TTD UYU XCD
US$ USD
USD$ USD
U$S USD
CA$ CAD
CAD$ CAD
C$ CAD NIO
A$ AUD
AU$ AUD
NZ$ NZD
S$ SGD
HK$ HKD
NT$ TWD
R$ BRL
MX$ MXN
€ EUR
£ GBP EGP LBP SYP SSP FKP GIP SHP
¥ JPY CNY
JP¥ JPY
CN¥ CNY
円 JPY
元 CNY TWD HKD
RMB CNY
₹ INR
₨ INR PKR LKR NPR MUR SCR
Rs INR PKR LKR NPR MUR SCR
Rs. INR PKR LKR NPR MUR SCR
₩ KRW KPW
원 KRW
₺ TRY
TL TRY
₽ RUB
руб RUB
₴ UAH
грн UAH
₪ ILS
₫ VND
đ VND
₦ NGN
₱ PHP
฿ THB
₡ CRC
₲ PYG
₵ GHS
GH₵ GHS
₸ KZT
₾ GEL
₼ AZN
₮ MNT
៛ KHR
₭ LAK
֏ AMD
৳ BDT
zł PLN
zl PLN
Kč CZK
Ft HUF
лв BGN
лв. BGN
kn HRK
lei RON MDL
kr SEK NOK DKK ISK
kr. SEK NOK DKK ISK
Kr SEK NOK DKK ISK
Kr. SEK NOK DKK ISK
RM MYR
Rp IDR
Rp. IDR
S/ PEN
S/. PEN
Bs BOB VES
R ZAR LSL NAD SZL
Ksh KES
KSh KES
TSh TZS
USh UGX
Fr. CHF XOF XAF XPF
Fr CHF XOF XAF XPF
SFr CHF
SFr. CHF
sFr. CHF
CFA XOF XAF
FCFA XOF XAF
Dhs AED MAD
Dhs. AED MAD
DH MAD AED
DT TND
KD KWD
BD BHD
SR SAR
QR QAR
د.إ AED
ر.س SAR
د.ك KWD
د.ت TND
د.م. MAD
ج.م EGP
﷼ SAR IRR QAR OMR YER
"""

# Elsewhere than in a country that has a pound, £ is sterling; so it is with the won.
_FIRST: Final = ("GBP", "KRW")

# A name, in any case, of the same kind.
_NAMES: Final = """
euro|euros|eur = EUR
us dollar|us dollars|us-dollar|u.s. dollar|u.s. dollars|dollar américain|dólar estadounidense|usd = USD
canadian dollar|canadian dollars|kanadischer dollar = CAD
australian dollar|australian dollars|australischer dollar = AUD
dollar|dollars|dólar|dólares = $
pound sterling|pounds sterling|british pound|british pounds|pfund sterling|livre sterling|libra esterlina|gbp = GBP
pound|pounds|pfund = £
swiss franc|swiss francs|schweizer franken|franken|franc suisse|francs suisses|franco suizo|franco svizzero|chf = CHF
franc|francs = Fr
japanese yen|japanischer yen|yen|jpy = JPY
yuan|renminbi|chinese yuan|renminbi yuan = CNY
indian rupee|indian rupees|indische rupie = INR
rupee|rupees|rupie|rupien = ₨
złoty|zloty|złotych|polish zloty = PLN
czech koruna|koruna|koruny|korun = CZK
swedish krona|swedish kronor|schwedische krone|schwedische kronen = SEK
norwegian krone|norwegian kroner|norwegische krone|norwegische kronen = NOK
danish krone|danish kroner|dänische krone|dänische kronen = DKK
krona|kronor|krone|kroner|kronen|króna|krónur = kr
forint = HUF
turkish lira|türk lirası|türkische lira = TRY
ringgit = MYR
baht = THB
south korean won = KRW
reais|brazilian real = BRL
mexican peso|mexican pesos|peso mexicano|pesos mexicanos = MXN
peso|pesos = ARS CLP COP CUP DOP MXN PHP UYU
south african rand = ZAR
dirham|dirhams = AED MAD
riyal|riyals|saudi riyal = SAR QAR YER
dinar|dinars = KWD BHD JOD IQD LYD TND DZD RSD
shekel|shekels|new shekel = ILS
rouble|roubles|ruble|rubles|rubel|рубль|рублей = RUB
hryvnia|гривень = UAH
naira = NGN
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A code, sign or name of a currency in a text, from `start` to `end`, and the currencies that it may stand for."""

    start: int
    end: int
    text: str
    stands_for: tuple[str, ...]

    def currency(self, *, country: str | None, document: str | None) -> str | None:
        """Return which currency is meant: its only one, else the document's, else the country's, if it is one of these."""
        if len(self.stands_for) == 1:
            return self.stands_for[0]
        known = country_of(country)
        decided = next((code for code in (document, known and known.currency) if code in self.stands_for), None)
        return decided or (self.stands_for[0] if self.stands_for[0] in _FIRST else None)


def minor_units(currency: str | None) -> int:
    """Return how many decimal places a currency has: the yen 0, the Kuwaiti dinar 3, and 2 where it is not known."""
    if currency not in CURRENCIES:
        return 2
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def signs_in(text: str) -> list[Sign]:
    """Find the currencies in `text`, in order."""
    found = []
    for match in _pattern().finditer(text):
        if stands_for := _signs().get(match[0]) or _names().get(match[0].casefold()):  # none: `ſ` matches an s, for one
            found.append(Sign(start=match.start(), end=match.end(), text=match[0], stands_for=stands_for))
    return found


@cache
def _signs() -> dict[str, tuple[str, ...]]:
    signs = {sign: tuple(codes) for sign, *codes in (line.split() for line in _SIGNS.strip().splitlines())}
    return signs | {code: (code,) for code in CURRENCIES}


@cache
def _names() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _NAMES.strip().splitlines():
        names, _, codes = line.partition(" = ")
        found |= dict.fromkeys(names.split("|"), _signs().get(codes) or tuple(codes.split()))
    return found


@cache
def _pattern() -> re.Pattern[str]:
    """Match any of them, the longest first, and three capitals; letters only where no other letter touches them."""
    signs, names = (sorted(some, key=len, reverse=True) for some in (set(_signs()) - CURRENCIES, _names()))
    words = "|".join(re.escape(sign) for sign in signs if sign[0].isalpha())
    others = "|".join(re.escape(sign) for sign in signs if not sign[0].isalpha())
    letter = r"[^\W\d_]"
    spelled = rf"(?:{words}|[A-Z]{{3}}|(?i:{'|'.join(map(re.escape, names))}))(?:(?<!{letter})|(?!{letter}))"
    return re.compile(rf"(?:{others})|(?<!{letter}){spelled}")
