"""What the compiled rules of a contract tell the deliverer, in the languages in which reports are written.

Here: one template a kind of rule. Not here: which rules there are (`compile`, `feed_rules`, `period`), what a measure
of a profile tells (`measures`), what suites tell (`expectations/`), what is found while reading (`reporting`).
"""

from dataclasses import dataclass, field

LANGUAGES = ("fr", "ar", "en")  # in which a report can be had


@dataclass(frozen=True)
class Said:
    """A sentence in English, and in the other languages of reports."""

    en: str
    others: dict[str, str] = field(default_factory=dict)


def say(kind: str, **parts: object) -> Said:
    """The sentence of a kind of rule, with names and bounds of the contract put in."""
    en, fr, ar = (template.format(**parts) for template in _SAID[kind])
    return Said(en, {"fr": fr, "ar": ar})


_SAID: dict[str, tuple[str, str, str]] = {
    "rows": (
        "Fewer than {minimum} rows arrived. Send the whole file.",
        "Moins de {minimum} lignes sont arrivées. Transmettez le fichier entier.",
        "وصل أقل من {minimum} من الأسطر. يرجى إرسال الملف كاملا.",
    ),
    "required": (
        "A value is required in every row. Fill in the missing ones.",
        "Une valeur est obligatoire à chaque ligne. Complétez celles qui manquent.",
        "القيمة إجبارية في كل سطر. يرجى إتمام القيم الناقصة.",
    ),
    "unique": (
        "Each value may stand in one row only. Remove the doubled rows.",
        "Chaque valeur ne peut figurer que sur une seule ligne. Supprimez les doublons.",
        "لا يجوز أن ترد القيمة إلا في سطر واحد. يرجى حذف الأسطر المكررة.",
    ),
    "codes": (
        "Codes must be among {listed}. Correct the others, or ask for the contract to be extended.",
        "Les codes admis sont {listed}. Corrigez les autres, ou demandez que le contrat soit complété.",
        "الرموز المقبولة هي {listed}. يرجى تصحيح غيرها أو طلب توسيع العقد.",
    ),
    "range": (
        "Values must lie in {low} to {high}. Check the unit and the column.",
        "Les valeurs doivent être comprises entre {low} et {high}. Vérifiez l'unité et la colonne.",
        "يجب أن تكون القيم بين {low} و {high}. يرجى التثبت من الوحدة ومن العمود.",
    ),
    "pattern": (
        "Values must be written as the pattern {pattern} says.",
        "Les valeurs doivent être écrites selon le modèle {pattern}.",
        "يجب أن تكتب القيم وفق الصيغة {pattern}.",
    ),
    "crosswalk": (
        "Codes must be those of the list {scheme}. Correct them, or ask for the list to be extended.",
        "Les codes doivent être ceux de la liste {scheme}. Corrigez-les, ou demandez que la liste soit complétée.",
        "يجب أن تكون الرموز من القائمة {scheme}. يرجى تصحيحها أو طلب توسيع القائمة.",
    ),
    "key": (
        "{columns} must identify one row. Remove the rows that stand twice, or send the column that tells them apart.",
        "{columns} doit identifier une seule ligne. Supprimez les lignes en double, ou transmettez la colonne qui les "
        "distingue.",
        "يجب أن يعرّف {columns} سطرا واحدا. يرجى حذف الأسطر المكررة أو إرسال العمود الذي يميز بينها.",
    ),
    "drawn": (
        "{column} must be one number in each stratum ({strata}), no smaller than the sampling units sent of it. "
        "Correct it.",
        "{column} doit être un seul nombre par strate ({strata}), au moins égal aux unités de sondage transmises. "
        "Corrigez-le.",
        "يجب أن يكون {column} عددا واحدا في كل طبقة ({strata}) لا يقل عن وحدات المعاينة المرسلة منها. يرجى تصحيحه.",
    ),
    "orphans": (
        "Each row must belong to a row of {entity}. Send the missing ones, or correct {columns}.",
        "Chaque ligne doit se rattacher à une ligne de {entity}. Transmettez celles qui manquent, ou corrigez "
        "{columns}.",
        "يجب أن يرتبط كل سطر بسطر من {entity}. يرجى إرسال الأسطر الناقصة أو تصحيح {columns}.",
    ),
    "orphan_share": (
        "The share of rows without a row of {entity} must lie in {low} to {high}, as the contract declares.",
        "La part des lignes sans ligne de {entity} doit être comprise entre {low} et {high}, comme le prévoit le "
        "contrat.",
        "يجب أن تكون نسبة الأسطر التي لا يقابلها سطر من {entity} بين {low} و {high} كما ينص عليه العقد.",
    ),
    "fits": (
        "Values must lie in {low} to {high}: check the unit, the decimal mark and the column.",
        "Les valeurs doivent être comprises entre {low} et {high} : vérifiez l'unité, la marque décimale et la "
        "colonne.",
        "يجب أن تكون القيم بين {low} و {high}: يرجى التثبت من الوحدة والفاصلة والعمود.",
    ),
    "needed": (
        "A value is needed in every row: figures are made of it. Fill in the missing ones.",
        "Une valeur est nécessaire à chaque ligne : des chiffres en sont tirés. Complétez celles qui manquent.",
        "القيمة ضرورية في كل سطر لأن الأرقام تحسب منها. يرجى إتمام القيم الناقصة.",
    ),
    "period": (
        "Rows are of another period than {period}, by {columns}. Send them for their own period, or the file of this "
        "one.",
        "Des lignes portent sur une autre période que {period}, d'après {columns}. Transmettez-les pour leur période, "
        "ou le fichier de celle-ci.",
        "أسطر تخص فترة أخرى غير {period} حسب {columns}. يرجى إرسالها لفترتها أو إرسال ملف هذه الفترة.",
    ),
    "later_period": (
        "Rows are of a later period than {period}, by {columns}. Send them for their own period, or the file of this "
        "one.",
        "Des lignes portent sur une période postérieure à {period}, d'après {columns}. Transmettez-les pour leur "
        "période, ou le fichier de celle-ci.",
        "أسطر تخص فترة لاحقة للفترة {period} حسب {columns}. يرجى إرسالها لفترتها أو إرسال ملف هذه الفترة.",
    ),
    "whole_period": (
        "Some {en} of {period} have no row, by {columns}. Send the whole period.",
        "Certains {fr} de {period} sont sans ligne, d'après {columns}. Transmettez toute la période.",
        "لا توجد أسطر لبعض {ar} الفترة {period} حسب {columns}. يرجى إرسال الفترة كاملة.",
    ),
}
KINDS = tuple(_SAID)
