"""How countries write: the decimal separator, the order of a date, phone numbers, and their own names.

Names, currencies, separators and orders are from Unicode CLDR (https://cldr.unicode.org), with other names in common use; codes
from ISO 3166-1 and ISO 4217; calling codes from ITU-T E.164; trunk prefixes from libphonenumber
(https://github.com/google/libphonenumber), all as of 2026.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Order = Literal["d", "m", "y"]
Separator = Literal[",", "."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """What is usual in a country. None where several usages stand side by side.

    `trunk` is dialled before a national number, and left out behind the calling code. `order` is what a date in digits begins
    with: day, month or year.
    """

    calling_code: str
    trunk: str
    currency: str
    decimal: Separator | None
    order: Order | None
    names: tuple[str, ...]


def country_of(code: str | None) -> Country | None:
    """Return what is known of a country by its ISO 3166-1 alpha-2 code."""
    return _countries().get(code or "")


def country_named(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country by its name, or by a code of two or three letters."""
    plain = folded(name)
    if len(plain) == 2 and plain.upper() in COUNTRY_CODES:
        return plain.upper()
    return _by_name().get(plain)


def folded(text: str) -> str:
    """Return the letters and digits of `text` alone, without case and accents, to compare names by."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if char.isalnum() and not unicodedata.combining(char))


@cache
def _countries() -> Mapping[str, Country]:
    found = {}
    for line in _COUNTRIES.strip().splitlines():
        code, calling_code, trunk, currency, decimal, order, names = line.split(" ", 6)
        found[code] = Country(
            calling_code=calling_code,
            trunk=trunk.replace("-", ""),
            currency=currency,
            decimal="," if decimal == "," else "." if decimal == "." else None,
            order="d" if order == "d" else "m" if order == "m" else "y" if order == "y" else None,
            names=tuple(names.split("|")),
        )
    return found


@cache
def _by_name() -> Mapping[str, str]:
    names = {folded(name): code for code, country in _countries().items() for name in country.names}
    also = {folded(name): line[:2] for line in _ALSO.strip().splitlines() for name in line[3:].split("|")}
    return names | also | {alpha_3.lower(): code for alpha_3, code in (pair.split("=") for pair in _ALPHA_3.split())}


# Code, calling code, trunk, currency, decimal separator, order, names (English, German, French, Spanish, own, further).
_COUNTRIES: Final = """
AD 376 - EUR , d Andorra|Andorre
AE 971 0 AED . d United Arab Emirates|Vereinigte Arabische Emirate|Émirats arabes unis|Emiratos Árabes Unidos
AL 355 0 ALL , d Albania|Albanien|Albanie|Shqipëri
AM 374 0 AMD , d Armenia|Armenien|Arménie|Հայաստան
AR 54 0 ARS , d Argentina|Argentinien|Argentine
AT 43 0 EUR , d Austria|Österreich|Autriche
AU 61 0 AUD . d Australia|Australien|Australie
AZ 994 0 AZN , d Azerbaijan|Aserbaidschan|Azerbaïdjan|Azerbaiyán|Azərbaycan
BA 387 0 BAM , d Bosnia & Herzegovina|Bosnien und Herzegowina|Bosnie-Herzégovine|Bosnia y Herzegovina|Bosna i Hercegovina
BD 880 0 BDT . d Bangladesh|Bangladesch|Bangladés|বাংলাদেশ
BE 32 0 EUR , d Belgium|Belgien|Belgique|Bélgica|België
BG 359 0 EUR , d Bulgaria|Bulgarien|Bulgarie|България
BH 973 - BHD . d Bahrain|Bahreïn|Baréin|البحرين
BO 591 0 BOB , d Bolivia|Bolivien|Bolivie
BR 55 0 BRL , d Brazil|Brasilien|Brésil|Brasil
BY 375 8 BYN , d Belarus|Biélorussie|Bielorrusia|Беларусь
CA 1 1 CAD - - Canada|Kanada
CH 41 0 CHF . d Switzerland|Schweiz|Suisse|Suiza|Svizzera
CI 225 - XOF , d Côte d'Ivoire
CL 56 - CLP , d Chile|Chili
CM 237 - XAF , d Cameroon|Kamerun|Cameroun|Camerún
CN 86 0 CNY . y China|Chine|中国
CO 57 0 COP , d Colombia|Kolumbien|Colombie
CR 506 - CRC - d Costa Rica
CU 53 0 CUP . d Cuba|Kuba
CY 357 - EUR - d Cyprus|Zypern|Chypre|Chipre|Κύπρος
CZ 420 - CZK , d Czechia|Tschechien|Tchéquie|Chequia|Česko
DE 49 0 EUR , d Germany|Deutschland|Allemagne|Alemania
DK 45 - DKK , d Denmark|Dänemark|Dinamarca|Danmark
DO 1 1 DOP . d Dominican Republic|Dominikanische Republik|République dominicaine|República Dominicana
DZ 213 0 DZD , d Algeria|Algerien|Algérie|Argelia|الجزائر
EC 593 0 USD , d Ecuador|Équateur
EE 372 - EUR , d Estonia|Estland|Estonie|Eesti
EG 20 0 EGP . d Egypt|Ägypten|Égypte|Egipto|مصر
ES 34 - EUR , d Spain|Spanien|Espagne|España|Espanya
ET 251 0 ETB . d Ethiopia|Äthiopien|Éthiopie|Etiopía|ኢትዮጵያ
FI 358 0 EUR , d Finland|Finnland|Finlande|Finlandia|Suomi
FR 33 0 EUR , d France|Frankreich|Francia
GB 44 0 GBP . d United Kingdom|Vereinigtes Königreich|Royaume-Uni|Reino Unido
GE 995 0 GEL , d Georgia|Georgien|Géorgie|საქართველო
GH 233 0 GHS . d Ghana
GR 30 - EUR , d Greece|Griechenland|Grèce|Grecia|Ελλάδα
GT 502 - GTQ . d Guatemala
HK 852 - HKD . d Hong Kong|Hongkong|香港
HN 504 - HNL . d Honduras
HR 385 0 EUR , d Croatia|Kroatien|Croatie|Croacia|Hrvatska
HU 36 06 HUF , y Hungary|Ungarn|Hongrie|Hungría|Magyarország
ID 62 0 IDR , d Indonesia|Indonesien|Indonésie
IE 353 0 EUR . d Ireland|Irland|Irlande|Irlanda|Éire
IL 972 0 ILS . d Israel|ישראל|إسرائيل
IN 91 0 INR . d India|Indien|Inde|भारत
IQ 964 0 IQD . d Iraq|Irak|العراق
IR 98 0 IRR . y Iran|ایران
IS 354 - ISK , d Iceland|Island|Islande|Islandia
IT 39 - EUR , d Italy|Italien|Italie|Italia
JM 1 1 JMD . d Jamaica|Jamaika|Jamaïque
JO 962 0 JOD . d Jordan|Jordanien|Jordanie|Jordania|الأردن
JP 81 0 JPY . y Japan|Japon|日本
KE 254 0 KES . d Kenya|Kenia
KH 855 0 KHR . d Cambodia|Kambodscha|Cambodge|Camboya|កម្ពុជា
KR 82 0 KRW . y South Korea|Südkorea|Corée du Sud|Corea del Sur|대한민국
KW 965 - KWD . d Kuwait|Koweït|الكويت
KZ 7 8 KZT , d Kazakhstan|Kasachstan|Kazajistán|Қазақстан
LB 961 0 LBP - d Lebanon|Libanon|Liban|Líbano|لبنان
LI 423 0 CHF . d Liechtenstein
LK 94 0 LKR . d Sri Lanka|ශ්‍රී ලංකාව
LT 370 0 EUR , y Lithuania|Litauen|Lituanie|Lituania|Lietuva
LU 352 - EUR , d Luxembourg|Luxemburg|Luxemburgo|Lëtzebuerg
LV 371 - EUR , d Latvia|Lettland|Lettonie|Letonia|Latvija
LY 218 0 LYD , d Libya|Libyen|Libye|Libia|ليبيا
MA 212 0 MAD , d Morocco|Marokko|Maroc|Marruecos|المغرب
MC 377 0 EUR , d Monaco
MD 373 0 MDL , d Moldova|Republik Moldau|Moldavie|Moldavia|Republica Moldova
ME 382 0 EUR , d Montenegro|Црна Гора
MK 389 0 MKD , d North Macedonia|Nordmazedonien|Macédoine du Nord|Macedonia del Norte|Северна Македонија
MM 95 0 MMK . d Myanmar|Burma|Birmanie|Birmania|မြန်မာ
MN 976 0 MNT . y Mongolia|Mongolei|Mongolie|Монгол
MT 356 - EUR . d Malta|Malte
MU 230 - MUR . d Mauritius|Maurice|Mauricio
MX 52 - MXN . d Mexico|Mexiko|Mexique
MY 60 0 MYR . d Malaysia|Malaisie|Malasia
NG 234 0 NGN . d Nigeria
NI 505 - NIO . d Nicaragua
NL 31 0 EUR , d Netherlands|Niederlande|Pays-Bas|Países Bajos|Nederland
NO 47 - NOK , d Norway|Norwegen|Norvège|Noruega|Norge
NP 977 0 NPR . y Nepal|नेपाल
NZ 64 0 NZD . d New Zealand|Neuseeland|Nouvelle-Zélande|Nueva Zelanda
OM 968 - OMR . d Oman|عُمان
PA 507 - USD . - Panama
PE 51 0 PEN . d Peru|Pérou
PH 63 0 PHP . - Philippines|Philippinen|Filipinas|Pilipinas
PK 92 0 PKR . d Pakistan|پاکستان
PL 48 - PLN , d Poland|Polen|Pologne|Polonia|Polska
PR 1 1 USD . m Puerto Rico|Porto Rico
PT 351 - EUR , d Portugal
PY 595 0 PYG , d Paraguay
QA 974 - QAR . d Qatar|Katar|Catar|قطر
RO 40 0 RON , d Romania|Rumänien|Roumanie|Rumanía
RS 381 0 RSD , d Serbia|Serbien|Serbie|Србија
RU 7 8 RUB , d Russia|Russland|Russie|Rusia|Россия
SA 966 0 SAR . d Saudi Arabia|Saudi-Arabien|Arabie saoudite|Arabia Saudí|المملكة العربية السعودية
SE 46 0 SEK , y Sweden|Schweden|Suède|Suecia|Sverige
SG 65 - SGD . d Singapore|Singapur|Singapour|新加坡
SI 386 0 EUR , d Slovenia|Slowenien|Slovénie|Eslovenia|Slovenija
SK 421 0 EUR , d Slovakia|Slowakei|Slovaquie|Eslovaquia|Slovensko
SM 378 - EUR , d San Marino|Saint-Marin
SN 221 - XOF , d Senegal
SV 503 - USD . d El Salvador|Salvador
TH 66 0 THB . d Thailand|Thaïlande|Tailandia|ไทย
TN 216 - TND , d Tunisia|Tunesien|Tunisie|Túnez|تونس
TR 90 0 TRY , d Türkiye|Türkei|Turquie|Turquía
TT 1 1 TTD . d Trinidad & Tobago|Trinidad und Tobago|Trinité-et-Tobago|Trinidad y Tobago
TW 886 0 TWD . y Taiwan|台灣
TZ 255 0 TZS . d Tanzania|Tansania|Tanzanie
UA 380 0 UAH , d Ukraine|Ucrania|Україна
UG 256 0 UGX . d Uganda|Ouganda
US 1 1 USD . m United States|Vereinigte Staaten|États-Unis|Estados Unidos
UY 598 0 UYU , d Uruguay
UZ 998 - UZS , d Uzbekistan|Usbekistan|Ouzbékistan|Oʻzbekiston
VE 58 0 VES , d Venezuela
VN 84 0 VND , d Vietnam
ZA 27 0 ZAR - y South Africa|Südafrika|Afrique du Sud|Sudáfrica
"""

_ALSO: Final = """
AE UAE|الإمارات العربية المتحدة
BA Bosnia and Herzegovina
BY Weißrussland
CH Schweizerische Eidgenossenschaft
CI Ivory Coast
CN People's Republic of China|中华人民共和国
CZ Czech Republic|Tschechische Republik|République tchèque|República Checa
DE Federal Republic of Germany|Germania|Duitsland
FR Frankrijk
GB UK|Great Britain|England|Großbritannien|Angleterre|Inglaterra|Regno Unito
GR EL
IE Republic of Ireland
KR Korea|Republic of Korea
ME Crna Gora
NL The Netherlands|Holland|Hollande|Holanda|Paesi Bassi
RS Srbija
RU Russian Federation|Russische Föderation
TR Turkey
TT Trinidad and Tobago
US United States of America|USA|Vereinigte Staaten von Amerika|Stati Uniti
VN Viet Nam|Việt Nam
"""

# Source: ISO 3166-1 alpha-2.
_ALPHA_2: Final = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG
CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL
GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA
LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP
NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRY_CODES: Final = frozenset(_ALPHA_2.split())

# Source: ISO 3166-1 alpha-3, of the countries above.
_ALPHA_3: Final = """
ALB=AL AND=AD ARE=AE ARG=AR ARM=AM AUS=AU AUT=AT AZE=AZ BEL=BE BGD=BD BGR=BG BHR=BH BIH=BA BLR=BY BOL=BO BRA=BR CAN=CA CHE=CH
CHL=CL CHN=CN CIV=CI CMR=CM COL=CO CRI=CR CUB=CU CYP=CY CZE=CZ DEU=DE DNK=DK DOM=DO DZA=DZ ECU=EC EGY=EG ESP=ES EST=EE ETH=ET
FIN=FI FRA=FR GBR=GB GEO=GE GHA=GH GRC=GR GTM=GT HKG=HK HND=HN HRV=HR HUN=HU IDN=ID IND=IN IRL=IE IRN=IR IRQ=IQ ISL=IS ISR=IL
ITA=IT JAM=JM JOR=JO JPN=JP KAZ=KZ KEN=KE KHM=KH KOR=KR KWT=KW LBN=LB LBY=LY LIE=LI LKA=LK LTU=LT LUX=LU LVA=LV MAR=MA MCO=MC
MDA=MD MEX=MX MKD=MK MLT=MT MMR=MM MNE=ME MNG=MN MUS=MU MYS=MY NGA=NG NIC=NI NLD=NL NOR=NO NPL=NP NZL=NZ OMN=OM PAK=PK PAN=PA
PER=PE PHL=PH POL=PL PRI=PR PRT=PT PRY=PY QAT=QA ROU=RO RUS=RU SAU=SA SEN=SN SGP=SG SLV=SV SMR=SM SRB=RS SVK=SK SVN=SI SWE=SE
THA=TH TTO=TT TUN=TN TUR=TR TWN=TW TZA=TZ UGA=UG UKR=UA URY=UY USA=US UZB=UZ VEN=VE VNM=VN ZAF=ZA
"""
