"""The ten contracts, written a second time and by hand.

They share nothing with the descriptor that the product compiles: where the two
disagree, one of them has misread the contracts.
"""

import datetime
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Callable

import lexical
import reading
from lexical import (
    boolean,
    choice,
    country,
    date,
    datetime_rfc3339,
    email,
    iban,
    integer,
    name,
    nif,
    number,
    parse_number,
    phone,
    string,
)

# Wide enough for any product of two numbers that the contracts accept.
EXACT = Context(prec=400)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Field:
    """One column: how it is checked, and what becomes of it."""

    name: str
    kind: str  # string, integer, number, boolean, date or datetime
    check: Callable
    required: bool = True
    sensitive: bool = False
    target: str = ""


@dataclass(frozen=True)
class Relation:
    """A field that names the key of a record of another resource."""

    field: str
    parent: str


@dataclass(frozen=True)
class Resource:
    """One of the ten files, named as its target table."""

    name: str
    file_type: str
    key: tuple
    fields: tuple
    upsert: bool = False
    empty_allowed: bool = False
    unique: tuple = ()
    relations: tuple = ()
    rules: tuple = ()
    columns: tuple = field(init=False)
    places: dict = field(init=False)  # position of each column

    def __post_init__(self):
        columns = tuple(each.name for each in self.fields)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "places", {name: place for place, name in enumerate(columns)})


def text(column, longest=None, **options):
    return Field(column, "string", string(longest), **options)


def key(column, **options):
    return Field(column, "integer", integer(above=0), **options)


def secret_key(column):
    return Field(column, "integer", integer(above=0, bounded=False), sensitive=True)


def reference(column, **options):
    return Field(column, "integer", integer(), **options)


def secret(column, check, kind="string", required=True):
    return Field(column, kind, check, required=required, sensitive=True)


def day(column, first=lexical.FIRST_DAY, **options):
    return Field(column, "date", date(first), **options)


def moment(column):
    return Field(column, "datetime", datetime_rfc3339)


def not_after_file(column):
    """Makes the rule that a date is not after the file's."""
    broken = (column, column + "_not_after_file")

    def rule(record, file_date):
        return broken if record[column] > file_date else None

    return (column,), rule


def created_by_the_next_day(record, file_date):
    """Nothing was created more than a day after the file's date, in UTC."""
    day, _ = lexical.moment_of(record["created_at"])
    if day > datetime.date.fromisoformat(file_date).toordinal() + 1:
        return "created_at", "created_at_at_most_one_day_after_file"
    return None


def sale_amount(record, _):
    """The amount is quantity x unit_price, rounded half up to the cent."""
    price, amount = parse_number(record["unit_price"]), parse_number(record["amount"])
    exact = EXACT.multiply(Decimal(record["quantity"]), price)
    if exact.quantize(CENT, ROUND_HALF_UP, EXACT) != amount:
        return "amount", "amount_equals_product"
    return None


def transfer_needs_iban(record, _):
    """A bank transfer names its account."""
    if record["method"] == "virement" and record["iban"] is None:
        return "iban", "iban_required"
    return None


def left_after_hired(record, _):
    """Nobody leaves before being hired; the same day is possible."""
    if record["left_on"] < record["hired_on"]:
        return "left_on", "left_on_not_before_hired_on"
    return None


CLIENTS = Resource(
    "clients",
    "client_data",
    ("client_id",),
    (
        secret_key("client_id"),
        secret("first_name", name),
        secret("last_name", name),
        secret("email", email),
        secret("nif", nif),
        secret("phone", phone, required=False),
        secret("birth_date", date(), "date", required=False),
        secret("address", string(200), required=False),
        text("city", 100),
        Field("country", "string", country),
        moment("created_at"),
    ),
    upsert=True,
    unique=("nif",),
    rules=(not_after_file("birth_date"), (("created_at",), created_by_the_next_day)),
)

PRODUITS = Resource(
    "produits",
    "product_data",
    ("product_id",),
    (
        key("product_id"),
        text("name", 120),
        reference("category_id"),
        reference("supplier_id"),
        Field("unit_price", "number", number(minimum=0)),
        Field("currency", "string", choice(("EUR", "USD", "GBP", "CHF"))),
        Field("active", "boolean", boolean),
    ),
    relations=(Relation("category_id", "categories"), Relation("supplier_id", "fournisseurs")),
)

CATEGORIES = Resource(
    "categories",
    "category_data",
    ("category_id",),
    (
        key("category_id"),
        text("name", 80),
        reference("parent_category_id", required=False),
    ),
    relations=(Relation("parent_category_id", "categories"),),
)

VENTES = Resource(
    "ventes",
    "sales_data",
    ("sale_id",),
    (
        key("sale_id"),
        Field("client_id", "integer", integer(bounded=False), sensitive=True),
        reference("product_id"),
        reference("store_id"),
        Field("quantity", "integer", integer(minimum=1)),
        Field("unit_price", "number", number(minimum=0)),
        Field("amount", "number", number(minimum=0), target="sale_amount"),
        day("sale_date"),
        Field("channel", "string", choice(("magasin", "web", "telephone"))),
    ),
    upsert=True,
    relations=(
        Relation("client_id", "clients"),
        Relation("product_id", "produits"),
        Relation("store_id", "magasins"),
    ),
    rules=((("quantity", "unit_price", "amount"), sale_amount), not_after_file("sale_date")),
)

MAGASINS = Resource(
    "magasins",
    "store_data",
    ("store_id",),
    (
        key("store_id"),
        text("name", 80),
        text("city"),
        Field("country", "string", country),
        day("opened_on", "1700-01-01"),
    ),
)

FOURNISSEURS = Resource(
    "fournisseurs",
    "supplier_data",
    ("supplier_id",),
    (
        key("supplier_id"),
        text("name", 120),
        secret("contact_email", email),
        text("vat_number", 20, required=False),
    ),
)

STOCKS = Resource(
    "stocks",
    "stock_data",
    ("product_id", "store_id"),
    (
        reference("product_id"),
        reference("store_id"),
        Field("quantity", "integer", integer(minimum=0)),
        moment("counted_at"),
    ),
    upsert=True,
    relations=(Relation("product_id", "produits"), Relation("store_id", "magasins")),
)

PAIEMENTS = Resource(
    "paiements",
    "payment_data",
    ("payment_id",),
    (
        key("payment_id"),
        reference("sale_id"),
        Field("amount", "number", number(above=0)),
        Field("method", "string", choice(("carte", "virement", "especes", "cheque"))),
        secret("iban", iban, required=False),
        moment("paid_at"),
    ),
    upsert=True,
    empty_allowed=True,
    relations=(Relation("sale_id", "ventes"),),
    rules=((("method",), transfer_needs_iban),),
)

RETOURS = Resource(
    "retours",
    "return_data",
    ("return_id",),
    (
        key("return_id"),
        reference("sale_id"),
        Field("quantity", "integer", integer(minimum=1)),
        Field("reason", "string", choice(("defaut", "erreur", "retractation", "autre"))),
        day("returned_on"),
    ),
    upsert=True,
    empty_allowed=True,
    relations=(Relation("sale_id", "ventes"),),
)

EMPLOYES = Resource(
    "employes",
    "employee_data",
    ("employee_id",),
    (
        secret_key("employee_id"),
        secret("first_name", name),
        secret("last_name", name),
        secret("email", email),
        secret("nif", nif),
        reference("store_id"),
        day("hired_on"),
        day("left_on", required=False),
    ),
    upsert=True,
    unique=("nif",),
    relations=(Relation("store_id", "magasins"),),
    rules=((("hired_on", "left_on"), left_after_hired),),
)

# Parents before children, so that one pass settles every cascade.
IN_ORDER = (
    FOURNISSEURS,
    CATEGORIES,
    PRODUITS,
    MAGASINS,
    CLIENTS,
    VENTES,
    STOCKS,
    PAIEMENTS,
    RETOURS,
    EMPLOYES,
)

# The free texts: the only columns whose values can hold a line end. The form of
# an IBAN is a rule of the record, not of the column's type.
FREE_TEXT = {
    "clients": ("address", "city"),
    "produits": ("name",),
    "categories": ("name",),
    "magasins": ("name", "city"),
    "fournisseurs": ("name", "vat_number"),
    "paiements": ("iban",),
}


def records(path, resource):
    """Yields the records of a file of a resource as reading.records does."""
    required = [each.name for each in resource.fields if each.required]
    return reading.records(path, resource.columns, FREE_TEXT.get(resource.name, ()), required)


PREFIXES = {
    prefix: resource for resource in IN_ORDER for prefix in (resource.file_type, resource.name)
}


def present(resource, values):
    """Returns the values with None for each text that shows nothing."""
    return [
        None
        if each.kind == "string" and lexical.is_text(value) and lexical.is_blank(value)
        else value
        for each, value in zip(resource.fields, values)
    ]


def row_errors(resource, values, file_date):
    """Returns the (field, rule) pairs that one record breaks by itself."""
    errors = set()
    for each, value in zip(resource.fields, values):
        if value is not None:
            broken = each.check(value)
            if broken:
                errors.update((each.name, rule) for rule in broken)
        elif each.required:
            errors.add((each.name, "required"))
    if not resource.rules:
        return errors
    record = dict(zip(resource.columns, values))
    wrong = {column for column, _ in errors}
    for needs, rule in resource.rules:
        if any(
            record[each] is None or (each in wrong and unusable(resource, values, each, errors))
            for each in needs
        ):
            continue
        broken = rule(record, file_date)
        if broken:
            errors.add(broken)
    return errors


def unusable(resource, values, column, errors):
    """Returns whether a wrong value is not even one of its type, in 64 bits."""
    if (column, "type") in errors:
        return True
    is_integer = resource.fields[resource.places[column]].kind == "integer"
    return is_integer and canonical(resource, values, column) is None


def canonical(resource, values, column):
    """Returns a value's canonical form, or None when it has none.

    A public integer that does not fit in 64 bits has none: it is rejected for
    that, and compared with nothing.
    """
    place = resource.places[column]
    value = values[place]
    if value is None:
        return None
    each = resource.fields[place]
    if each.kind != "integer":
        return value if lexical.is_text(value) else None
    if not lexical.is_integer(value):
        return None
    number = lexical.canonical_integer(value)
    return number if each.sensitive or lexical.fits(number) else None


def typed(each, value):
    """Returns what the target table holds, as JSON: text for exact numbers."""
    if value is None:
        return None
    if each.kind == "boolean":
        return lexical.parse_boolean(value)
    if each.sensitive or each.kind not in ("integer", "number"):
        return str(value)
    if each.kind == "integer":
        return str(lexical.canonical_integer(value))
    if not parse_number(value):
        return "0"
    plain = format(parse_number(value), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
