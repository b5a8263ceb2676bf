"""The measures by which a batch is judged from its profile: what each says to the deliverer, in three languages, and
which need another batch to compare with. Not here: how they are computed (`evidence`), how much is too much
(`expectations/comparisons.yml`)."""

from dataclasses import dataclass
from typing import Literal

from hims_pipeline.gates.roles import RoleName, Roles


@dataclass(frozen=True)
class Measure:
    """What a measure tells the deliverer when it is beyond its limit.

    Args:
        is_compared: it needs another batch.
        roles: it is about columns of these roles, and of no use to an entity without; all entities where empty.
        of: what a row is, where that matters: a record, or a cell with its amount.
    """

    name: str
    is_compared: bool
    en: str
    fr: str
    ar: str
    roles: tuple[RoleName, ...] = ()
    of: Literal["", "records", "cells"] = ""

    def is_for(self, roles: Roles) -> bool:
        """Is there something in an entity that it can be about?"""
        return (not self.of or (self.of == "records") == roles.counts_rows) and (
            not self.roles or bool(roles.columns_with(*self.roles))
        )


_AGE: tuple[RoleName, ...] = ("age", "birth_year", "birth_date")
_CODED: tuple[RoleName, ...] = ("sex", "area", "post", "country", "category", "currency", "text")
_TIED: tuple[RoleName, ...] = (*_AGE, "sex", "area", "post", "country", "category", "text", "amount")
_FOR: dict[str, tuple[tuple[RoleName, ...], Literal["", "records", "cells"]]] = {
    "unknown": (("sex", *_AGE, "area", "post", "country"), "records"),
    "constant": (("sex", *_AGE, "area", "post", "country"), "records"),
    "one_sex": (("sex",), "records"), "more_women": (("sex",), "records"),
    "more_women_by_age": (_AGE, "records"), "more_women_by_area": (("area", "post", "country"), "records"),
    "more_women_by_category": (("category",), "records"),
    "spike": (("amount",), "cells"), "divisor": (("amount",), "cells"),
    "middle": (("amount", "weight"), ""), "sum": (("amount", "weight"), ""),
    "spread": (("weight",), ""), "heaviest": (("weight",), ""), "weights_by_area": (("weight",), ""),
    "amount_levels": (("currency",), "records"), "top": (("amount", "weight"), ""),
    "fell": (("amount",), "cells"), "cell": (("amount",), "cells"), "lost": (_CODED, "cells"),
    "shares": (_CODED, ""), "shift": (_CODED, "records"), "strength": (_CODED, "records"),
    "narrowed": ((*_TIED, "currency"), ""), "repeated": (("identifier",), "records"),
    "rarer_sex": (("sex",), "records"),
    "along": (("key",), "records"),
    "slipped": (_TIED, "records"), "told": (_TIED, "records"), "sexes_exchanged": (("sex",), "records"),
    "days_of_month": (("date",), ""), "days_missing": (("date",), ""), "one_day": (("date",), ""),
    "years": (("date", "year"), ""), "dates_order": (("date",), "records"),
    "stale": (("date", "year"), ""), "year_lost": (("date", "year"), ""),
    "year_revised": (("year",), "cells"), "cells_missing": (("year",), "cells"),
    "numbers_missing": (("key",), ""), "rows_twice": ((), "records"), "runs_twice": ((), "records"),
    "runs_alone": ((), "records"), "nothing_new": ((), "records"), "again": ((), "records"),
    **dict.fromkeys(
        ("heaping", "digit", "one_age", "oldest", "unborn", "ages", "mean_age", "heaping_more"), (_AGE, "")
    ),
}  # fmt: skip
_ALL = (
    ("unknown", False, "Too many values are unknown. Fill them in, or say why they are not.",
     "Trop de valeurs sont inconnues. Complétez-les, ou expliquez pourquoi elles manquent.",
     "عدد القيم غير المعروفة كبير جدا. يرجى إتمامها أو بيان سبب غيابها."),
    ("hardly_filled", False, "A column has hardly a value. Fill it in; the contract says so where that is right.",
     "Une colonne n'a presque aucune valeur. Complétez-la ; le contrat le prévoit là où c'est normal.",
     "عمود يكاد يكون فارغا. يرجى إتمامه؛ وينص العقد على ذلك حيث يكون طبيعيا."),
    ("constant", False, "All rows hold one and the same value. Check the column in the extraction.",
     "Toutes les lignes portent une seule et même valeur. Vérifiez la colonne dans l'extraction.",
     "كل الأسطر تحمل القيمة نفسها. يرجى التثبت من العمود عند الاستخراج."),
    ("one_sex", False, "Nearly everybody is of one sex. Check the codes of sex.",
     "Presque toutes les personnes sont du même sexe. Vérifiez les codes du sexe.",
     "كل الأشخاص تقريبا من جنس واحد. يرجى التثبت من رموز الجنس."),
    ("heaping", False, "Ages end in 0 or 5 far too often. Send ages as they were recorded, not rounded.",
     "Les âges se terminent beaucoup trop souvent par 0 ou 5. Transmettez les âges tels qu'enregistrés, sans arrondi.",
     "الأعمار تنتهي بـ 0 أو 5 أكثر مما ينبغي. يرجى إرسالها كما سجلت دون تقريب."),
    ("digit", False, "Ages end in one digit far too often. Send ages as they were recorded, not computed from a group.",
     "Les âges se terminent beaucoup trop souvent par un même chiffre. Transmettez-les tels qu'enregistrés.",
     "الأعمار تنتهي بالرقم نفسه أكثر مما ينبغي. يرجى إرسالها كما سجلت."),
    ("one_age", False, "One age stands far too often. It may be a filler: leave unknown ages unknown.",
     "Un même âge revient beaucoup trop souvent. C'est peut-être une valeur de remplissage : laissez-la inconnue.",
     "عمر واحد يتكرر أكثر مما ينبغي. قد تكون قيمة تعويضية: يرجى ترك المجهول مجهولا."),
    ("oldest", False, "Too many persons are 98 or older. Check whether 98 or 99 stands for unknown.",
     "Trop de personnes ont 98 ans ou plus. Vérifiez si 98 ou 99 signifie « inconnu ».",
     "عدد من بلغوا 98 سنة فأكثر كبير جدا. يرجى التثبت هل 98 أو 99 يعني غير معروف."),
    ("unborn", False, "Persons are born after the period. Check dates of birth and the period.",
     "Des personnes sont nées après la période. Vérifiez les dates de naissance et la période.",
     "أشخاص ولدوا بعد الفترة. يرجى التثبت من تواريخ الولادة ومن الفترة."),
    ("spike", False, "An amount leaps away from its years before and after. Check its unit and digits.",
     "Un montant s'écarte brusquement des années voisines. Vérifiez son unité et ses chiffres.",
     "مبلغ يقفز بعيدا عن السنوات المجاورة. يرجى التثبت من وحدته وأرقامه."),
    ("divisor", False, "All amounts are multiples of one number, as if multiplied. Check the unit and the period.",
     "Tous les montants sont multiples d'un même nombre, comme multipliés. Vérifiez l'unité et la période.",
     "كل المبالغ مضاعفات لعدد واحد كأنها ضربت فيه. يرجى التثبت من الوحدة ومن الفترة."),
    ("heaviest", False, "A few rows weigh many times as much as the next ones. Check their weights and decimal marks.",
     "Quelques lignes pèsent plusieurs fois plus que les suivantes. Vérifiez leurs poids et leurs décimales.",
     "بضعة أسطر لها أوزان أضعاف ما يليها. يرجى التثبت من أوزانها ومن الفاصلة العشرية."),
    ("runs_alone", False, "Blocks of rows stand twice under other keys. Remove the copies.",
     "Des blocs de lignes figurent deux fois sous d'autres clés. Supprimez les copies.",
     "كتل من الأسطر مكررة تحت مفاتيح أخرى. يرجى حذف النسخ."),
    ("size", True, "The number of rows is far from that of the period compared with. Send all of it, once.",
     "Le nombre de lignes est très éloigné de celui de la période comparée. Transmettez tout, une seule fois.",
     "عدد الأسطر بعيد جدا عن عددها في فترة المقارنة. يرجى إرسال الكل مرة واحدة."),
    ("size_revised", True, "The period was sent before with another number of rows. Say what was corrected.",
     "La période a déjà été transmise avec un autre nombre de lignes. Indiquez ce qui a été corrigé.",
     "سبق إرسال هذه الفترة بعدد آخر من الأسطر. يرجى بيان ما تم تصحيحه."),
    ("more_unknown", True, "More values are unknown than in the period compared with. Fill them in, or say why.",
     "Davantage de valeurs sont inconnues que dans la période comparée. Complétez-les, ou dites ce qui a changé.",
     "القيم غير المعروفة أكثر مما في فترة المقارنة. يرجى إتمامها أو بيان ما تغير."),
    ("shares", True, "Values are distributed otherwise than in the period compared with. Check codes and coverage.",
     "Les valeurs se répartissent autrement que dans la période comparée. Vérifiez les codes et la couverture.",
     "توزيع القيم يختلف عن فترة المقارنة. يرجى التثبت من الرموز ومن الشمول."),
    ("shift", True, "One value is far more or less frequent than in the period compared with, or is missing.",
     "Une valeur est beaucoup plus ou moins fréquente que dans la période comparée, ou manque.",
     "قيمة واحدة أكثر أو أقل تواترا بكثير من فترة المقارنة، أو ناقصة."),
    ("more_women", True, "The share of women is not that of the period compared with. Check the codes of sex.",
     "La part des femmes n'est pas celle de la période comparée. Vérifiez les codes du sexe.",
     "نسبة النساء تختلف عن فترة المقارنة. يرجى التثبت من رموز الجنس."),
    ("more_women_by_age", True, "In some age group the share of women changed. Check sex and age.",
     "Dans un groupe d'âge, la part des femmes a changé. Vérifiez le sexe et l'âge.",
     "تغيرت نسبة النساء في إحدى الفئات العمرية. يرجى التثبت من الجنس والعمر."),
    ("more_women_by_area", True, "In some area or country the share of women changed. Check sex and area.",
     "Dans une zone ou un pays, la part des femmes a changé. Vérifiez le sexe et la zone.",
     "تغيرت نسبة النساء في إحدى المناطق أو البلدان. يرجى التثبت من الجنس والمنطقة."),
    ("more_women_by_category", True, "In some category the share of women changed. Check sex and the category's codes.",
     "Dans une catégorie, la part des femmes a changé. Vérifiez le sexe et les codes de la catégorie.",
     "تغيرت نسبة النساء في أحد الأصناف. يرجى التثبت من الجنس ومن رموز الصنف."),
    ("ages", True, "Ages are distributed otherwise than in the period compared with. Check how age was computed.",
     "Les âges se répartissent autrement que dans la période comparée. Vérifiez le calcul de l'âge.",
     "توزيع الأعمار يختلف عن فترة المقارنة. يرجى التثبت من طريقة حساب العمر."),
    ("mean_age", True, "The mean age is not that of the period compared with. Check how age was computed.",
     "L'âge moyen n'est pas celui de la période comparée. Vérifiez le calcul de l'âge.",
     "متوسط العمر يختلف عن فترة المقارنة. يرجى التثبت من طريقة حساب العمر."),
    ("heaping_more", True, "Ages end in 0 or 5 more often than before. Send them as they were recorded.",
     "Les âges se terminent par 0 ou 5 plus souvent qu'avant. Transmettez-les tels qu'enregistrés.",
     "الأعمار تنتهي بـ 0 أو 5 أكثر من قبل. يرجى إرسالها كما سجلت."),
    ("strength", True, "Two columns hang together otherwise than before: one may have slipped against the other.",
     "Deux colonnes ne sont plus liées comme avant : l'une a pu se décaler par rapport à l'autre.",
     "العلاقة بين عمودين تختلف عما كانت عليه: قد يكون أحدهما انزاح عن الآخر."),
    ("narrowed", True, "All rows hold one value where there were several before. Check the column in the extraction.",
     "Toutes les lignes portent une seule valeur là où il y en avait plusieurs. Vérifiez la colonne.",
     "كل الأسطر تحمل قيمة واحدة وكانت فيها قيم عدة. يرجى التثبت من العمود."),
    ("repeated", True, "More rows than before hold a person or document of another row. Remove the copies.",
     "Plus de lignes qu'avant portent une personne ou un document déjà présent. Supprimez les copies.",
     "أسطر تحمل شخصا أو وثيقة مذكورة في سطر آخر أكثر مما سبق. يرجى حذف النسخ."),
    ("rarer_sex", True, "The rarer sex is several times more or less frequent than before. Check the codes of sex.",
     "Le sexe le moins représenté l'est bien plus ou bien moins qu'avant. Vérifiez les codes du sexe.",
     "الجنس الأقل عددا صار أكثر أو أقل بكثير مما سبق. يرجى التثبت من رموز الجنس."),
    ("along", True, "Dates no longer follow the numbers of the rows. Check how dates were written.",
     "Les dates ne suivent plus la numérotation des lignes. Vérifiez l'écriture des dates.",
     "التواريخ لم تعد تتبع ترقيم الأسطر. يرجى التثبت من كتابة التواريخ."),
    ("slipped", True, "A column no longer goes with the others: it slipped by some rows, or its codes are others.",
     "Une colonne ne va plus avec les autres : elle s'est décalée de quelques lignes, ou ses codes ont changé.",
     "عمود لم يعد يتوافق مع بقية الأعمدة: انزاح ببعض الأسطر أو تغيرت رموزه."),
    ("told", True, "A column no longer follows from another as it did: one slipped by some rows, or codes are others.",
     "Une colonne ne découle plus d'une autre comme avant : l'une s'est décalée, ou des codes ont changé.",
     "عمود لم يعد ينتج عن عمود آخر كما كان: انزاح أحدهما ببعض الأسطر أو تغيرت الرموز."),
    ("sexes_exchanged", True, "Men stand where women stood, and women where men did. Check the codes of sex.",
     "Les hommes figurent à la place des femmes, et inversement. Vérifiez les codes du sexe.",
     "الرجال في مكان النساء والعكس. يرجى التثبت من رموز الجنس."),
    ("days_of_month", True, "Days of the month are distributed otherwise than before. Check how dates were written.",
     "Les jours du mois se répartissent autrement qu'avant. Vérifiez l'écriture des dates.",
     "توزيع أيام الشهر يختلف عما سبق. يرجى التثبت من كتابة التواريخ."),
    ("days_missing", True, "A run of days has no row. Send the whole period.",
     "Plusieurs jours de suite sont sans ligne. Transmettez toute la période.",
     "أيام متتالية دون أي سطر. يرجى إرسال الفترة كاملة."),
    ("dates_order", True, "One date lies behind another more or less often than before. Check how dates were written.",
     "Une date suit une autre dans plus ou moins de lignes qu'avant. Vérifiez l'écriture des dates.",
     "تاريخ يلي تاريخا آخر في أسطر أكثر أو أقل مما سبق. يرجى التثبت من كتابة التواريخ."),
    ("one_day", True, "One day holds far more rows than before. It may be the day of typing.",
     "Un jour compte beaucoup plus de lignes qu'avant. C'est peut-être le jour de la saisie.",
     "يوم واحد يضم أسطرا أكثر بكثير مما سبق. قد يكون يوم الإدخال."),
    ("years", True, "Years are distributed otherwise than before. Check years and dates.",
     "Les années se répartissent autrement qu'avant. Vérifiez les années et les dates.",
     "توزيع السنوات يختلف عما سبق. يرجى التثبت من السنوات والتواريخ."),
    ("stale", True, "The newest rows are older than they should be. Send the present state.",
     "Les lignes les plus récentes sont trop anciennes. Transmettez l'état actuel.",
     "أحدث الأسطر أقدم مما ينبغي. يرجى إرسال الحالة الراهنة."),
    ("year_lost", True, "A year between others is missing. Send all years.",
     "Une année intermédiaire manque. Transmettez toutes les années.",
     "سنة ناقصة بين سنوات أخرى. يرجى إرسال كل السنوات."),
    ("year_revised", True, "The sum of a past year is not what was sent before. Check years and units, or say what was"
     " revised.",
     "La somme d'une année passée n'est plus celle transmise auparavant. Vérifiez années et unités, ou dites ce qui a"
     " été révisé.",
     "مجموع سنة ماضية يختلف عما أرسل سابقا. يرجى التثبت من السنوات والوحدات أو بيان"
     " ما تمت مراجعته."),
    ("cells_missing", True, "Series have more years without a cell than before. Send all cells.",
     "Les séries ont plus d'années sans valeur qu'auparavant. Transmettez toutes les cellules.",
     "في السلاسل سنوات دون قيمة أكثر مما سبق. يرجى إرسال كل الخانات."),
    ("middle", True, "Amounts are of another magnitude than before. Check unit, currency and decimal mark.",
     "Les montants sont d'un autre ordre de grandeur qu'avant. Vérifiez l'unité, la monnaie et la marque décimale.",
     "المبالغ من حجم آخر غير السابق. يرجى التثبت من الوحدة والعملة والفاصلة."),
    ("amount_levels", True, "Amounts of a currency are higher or lower than in the period compared with. Check the unit"
     " and whether they are gross or net, of a month or another time.",
     "Les montants d'une monnaie sont plus élevés ou plus bas que dans la période comparée. Vérifiez l'unité, et s'ils"
     " sont bruts ou nets, mensuels ou d'une autre durée.",
     "مبالغ إحدى العملات أعلى أو أدنى مما في فترة المقارنة. يرجى التثبت من الوحدة ومن كونها"
     " خاما أو صافية، شهرية أو لمدة أخرى."),
    ("sum", True, "The sum is far from that before. Check unit, currency and coverage, and weights.",
     "La somme est très éloignée de la précédente. Vérifiez l'unité, la monnaie, la couverture et les poids.",
     "المجموع بعيد جدا عن السابق. يرجى التثبت من الوحدة والعملة والشمول والأوزان."),
    ("spread", True, "Weights lie closer together or further apart than before. Send the final weights.",
     "Les poids sont plus ou moins dispersés qu'auparavant. Transmettez les poids définitifs.",
     "تشتت الأوزان يختلف عما سبق. يرجى إرسال الأوزان النهائية."),
    ("weights_by_area", True, "In some area weights are larger or smaller beside the others than before. Check them.",
     "Dans une zone, les poids sont plus grands ou plus petits qu'avant par rapport aux autres. Vérifiez ses poids.",
     "أوزان إحدى المناطق أكبر أو أصغر مقارنة بغيرها مما سبق. يرجى التثبت من أوزانها."),
    ("top", True, "The largest amount is many times that before. Check its unit and digits.",
     "Le plus grand montant est un multiple du précédent. Vérifiez son unité et ses chiffres.",
     "أكبر مبلغ أضعاف السابق. يرجى التثبت من وحدته وأرقامه."),
    ("fell", True, "A sum since 1 January fell. Check the day, or say what was corrected.",
     "Un cumul depuis le 1er janvier a baissé. Vérifiez la date, ou dites ce qui a été corrigé.",
     "انخفض مجموع متراكم منذ غرة جانفي. يرجى التثبت من التاريخ أو بيان ما تم تصحيحه."),
    ("lost", True, "Countries, areas or categories that were there before are missing. Send all of them.",
     "Des pays, zones ou catégories présents auparavant manquent. Transmettez-les tous.",
     "بلدان أو مناطق أو أصناف كانت موجودة أصبحت ناقصة. يرجى إرسالها كلها."),
    ("cell", True, "A cell of the table grew or shrank far more than the table as a whole. Check its figure.",
     "Une case du tableau a augmenté ou diminué bien plus que l'ensemble du tableau. Vérifiez son chiffre.",
     "خانة من الجدول زادت أو نقصت أكثر بكثير من الجدول ككل. يرجى التثبت من رقمها."),
    ("numbers_missing", True, "Numbers are missing from the numbering. Send all rows.",
     "Des numéros manquent dans la numérotation. Transmettez toutes les lignes.",
     "أرقام ناقصة من الترقيم. يرجى إرسال كل الأسطر."),
    ("rows_twice", True, "More rows than before stand twice under other keys. Remove the copies.",
     "Plus de lignes qu'avant figurent deux fois sous d'autres clés. Supprimez les copies.",
     "أسطر مكررة تحت مفاتيح أخرى أكثر مما سبق. يرجى حذف النسخ."),
    ("runs_twice", True, "Blocks of rows stand twice under other keys. Remove the copies.",
     "Des blocs de lignes figurent deux fois sous d'autres clés. Supprimez les copies.",
     "كتل من الأسطر مكررة تحت مفاتيح أخرى. يرجى حذف النسخ."),
    ("nothing_new", True, "Nearly all rows stood in an earlier period already. Send the present state.",
     "Presque toutes les lignes figuraient déjà dans une période antérieure. Transmettez l'état actuel.",
     "كل الأسطر تقريبا كانت موجودة في فترة سابقة. يرجى إرسال الحالة الراهنة."),
    ("again", True, "The rows of an earlier period stand here under new keys. Send those of this period.",
     "Les lignes d'une période antérieure figurent ici sous de nouvelles clés. Transmettez celles de cette période.",
     "أسطر فترة سابقة موجودة هنا تحت مفاتيح جديدة. يرجى إرسال أسطر هذه الفترة."),
)  # fmt: skip
MEASURES = {one[0]: Measure(*one, *_FOR.get(one[0], ((), ""))) for one in _ALL}
