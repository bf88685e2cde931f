"""Names, places and sentences that the organization's rows are made of, in several scripts."""

from __future__ import annotations

FIRST_NAMES = (
    "Adrián", "Aiko", "Åsa", "Ayşe", "Beatriz", "Björn", "Chloé", "Conor", "Dmitri", "Eleni", "Emeka", "Fatima",
    "François", "Gábor", "Hanna", "Ines", "Ivana", "Jürgen", "Kateřina", "Lakshmi", "Łukasz", "Mairéad", "Mateo",
    "Nguyễn", "Noor", "Ólafur", "Priya", "Quentin", "Renée", "Saoirse", "Søren", "Tomáš", "Uxía", "Victoria", "Wei",
    "Xiomara", "Yusuf", "Zoë", "Анна", "Борис", "Ольга", "Γιώργος", "Ελένη", "محمد", "ليلى", "דוד", "נועה", "太郎",
    "花子", "伟", "秀英", "민준", "서연", "สมชาย", "अनिल", "प्रिया",
)  # fmt: skip
LAST_NAMES = (
    "O'Brien", "D'Angelo", "O'Neill", "Müller", "Jensen", "Nowak", "Novák", "García", "Ibáñez", "Lefèvre", "Sørensen",
    "Ångström", "Yılmaz", "Papadopoulos", "van der Berg", "de la Cruz", "St. John", "MacDonald", "Smith-Jones", "Patel",
    "Singh", "Okafor", "Kowalczyk", "Horváth", "Dvořák", "Rossi", "Silva", "Nguyen", "Иванова", "Петров", "Παππάς",
    "الفارسي", "כהן", "佐藤", "鈴木", "王", "李", "김", "박", "สุขใจ", "शर्मा", "N'Diaye", "Ó Súilleabháin",
)  # fmt: skip
COMPANY_WORDS = (
    "Adventure", "Alpine", "Blue Yonder", "Coho", "Fabrikam", "Fourth", "Graphic", "Humongous", "Litware", "Lucerne",
    "Margie's", "Northwind", "Proseware", "School of", "Tailspin", "Trey", "VanArsdel", "Wide World", "Wingtip",
    "Woodgrove", "Москва", "Αθήνα", "東京", "上海", "서울", "Köln", "Kraków", "São Paulo", "D'Artagnan", "🚀 Orbit",
)  # fmt: skip
COMPANY_KINDS = (
    "Airlines", "Bank", "Coffee & Tea", "Design", "Engineering", "Foods", "Health", "Importers", "Insurance",
    "Logistics", "Media", "Outfitters", "Pharmaceuticals", "Publishing", "Research", "Robotics", "Toys", "Traders",
    "Vineyards", "Works",
)  # fmt: skip
COMPANY_FORMS = ("GmbH", "Ltd.", "Inc.", "S.A.", "A/S", "Kft.", "株式会社", "ООО", "AB", "B.V.", "(sample)", "& Sons")
PLACES = (
    ("Amsterdam", "Noord-Holland", "Netherlands", "1011 AB", 52.37276, 4.89360),
    ("Αθήνα", "Αττική", "Greece", "105 57", 37.98394, 23.72831),
    ("Berlin", "Berlin", "Germany", "10115", 52.52001, 13.40495),
    ("Cork", "Munster", "Ireland", "T12 X8N6", 51.89797, -8.47061),
    ("København", "Hovedstaden", "Denmark", "1050", 55.67610, 12.56834),
    ("Kraków", "Małopolskie", "Poland", "30-001", 50.06143, 19.93658),
    ("Lisboa", "Lisboa", "Portugal", "1100-148", 38.72225, -9.13934),
    ("Redmond", "WA", "U.S.A.", "98052", 47.67399, -122.12151),
    ("Reykjavík", "Höfuðborgarsvæðið", "Iceland", "101", 64.14661, -21.94261),
    ("São Paulo", "SP", "Brazil", "01310-100", -23.55052, -46.63331),
    ("東京", "東京都", "Japan", "100-0001", 35.68945, 139.69171),
    ("上海", "上海市", "China", "200000", 31.23042, 121.47370),
    ("Санкт-Петербург", "Ленинградская обл.", "Russia", "190000", 59.93863, 30.31413),
    ("القاهرة", "القاهرة", "Egypt", "11511", 30.04442, 31.23571),
    ("Queenstown", "Otago", "New Zealand", "9300", -45.03116, 168.66264),
)
STREETS = ("Main Street", "Hauptstraße", "Rue de l'Église", "Ñuñoa 12", "Strandvejen", "ул. Ленина", "本町", "Via Roma")
JOB_TITLES = (
    "Purchasing Manager", "Owner", "Chief Executive Officer", "Accountant", "Ingénieur·e", "Vertriebsleiter", "R&D",
    "Sales Assistant", "開発部長", "Director, \"Special Projects\"",
)  # fmt: skip
TOPICS = (
    "Interested in online only store", "Needs 40 laptops by autumn", "Renewal of support contract",
    "Pilot of the new line – 3 sites", "Wants a quote for bulk order", "Considering a switch from a competitor",
    "Frage zur Lieferzeit", "Demande d'informations", "見積依頼", "Will be sending purchase order 📦",
)  # fmt: skip
PROBLEMS = (
    "Item arrived defective", "Invoice doesn't match order", "Can't sign in to the portal", "Contract question",
    "Service required", "Delivery is late ⏰", "Wrong colour", "Produktfrage zu Größe", "Panne après mise à jour",
    "返品したい", "Не работает насос", "Missing parts <again> & again",
)  # fmt: skip
DEEDS = (
    "Call back",
    "Send brochure",
    "Check credit",
    "Prepare demo",
    "Follow up on quote",
    "Arrange visit ☕",
    "Rückruf",
)
SENTENCES = (
    "The customer called twice and was promised an answer by Friday.",
    "Sie möchten die Bestellung ändern; bitte 'O''Neill' informieren.",
    "Voir la pièce jointe : « conditions générales », article 7.",
    "お客様は新しい見積もりを希望しています。",
    "Клиент просит перезвонить после обеда.",
    'Totals are given as 1.234,56 €; the tab\tand the quotes "stay" as they are.',
    "العميل يفضل التواصل عبر البريد الإلكتروني.",
    "All good 👍🏽 — see the thread for details 🧵.",
)
COMPETITORS = (
    "A. Datum Corporation", "Alpine Ski House", "Best For You Organics", "City Power & Light", "Consolidated Messenger",
    "First Up Consultants", "Fincher Architects", "Lamna Healthcare", "Munson's Pickles", "Nod Publishers",
    "Relecloud", "Southridge Video", "The Phone Company", "Wide World Importers",
)  # fmt: skip
