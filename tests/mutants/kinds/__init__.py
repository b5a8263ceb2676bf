"""What may be wrong with a delivery, class by class: which mutations there are. Each function changes a copy of one
entity's rows, and gives None where the entity has nothing of the kind; each class has a module of its own."""

from tests.mutants.kinds import columns, dates, levels, persons, rows
from tests.mutants.sheets import Mutation

CLASSES: dict[str, dict[str, Mutation]] = {
    "age and sex": {
        "ages_heaped": persons.ages_heaped,
        "ages_shifted": persons.ages_shifted,
        "age_99": persons.age_99,
        "sexes_exchanged": persons.sexes_exchanged,
        "one_sex": persons.one_sex,
        "sexes_mostly_of_men": persons.sexes_mostly_of_men,
        "sexes_exchanged_in_one_area": persons.sexes_exchanged_in_one_area,
        "ages_on_one_digit": persons.ages_on_one_digit,
        "ages_ten_younger": persons.ages_ten_younger,
    },
    "rows missing": {
        "area_missing": rows.area_missing,
        "week_missing": rows.week_missing,
        "year_missing": rows.year_missing,
        "fifth_missing": rows.fifth_missing,
        "tail_missing": rows.tail_missing,
        "category_missing": rows.category_missing,
        "largest_area_halved": rows.largest_area_halved,
        "head_missing": rows.head_missing,
    },
    "columns": {
        "column_unknown": columns.column_unknown,
        "column_half_unknown": columns.column_half_unknown,
        "column_constant": columns.column_constant,
        "codes_rotated": columns.codes_rotated,
        "column_shuffled": columns.column_shuffled,
        "two_codes_exchanged": columns.two_codes_exchanged,
        "two_columns_exchanged": columns.two_columns_exchanged,
        "column_slipped": columns.column_slipped,
        "everybody_unknown": columns.everybody_unknown,
    },
    "levels": {
        "times_12": levels.multiply_amounts(12),
        "times_1000": levels.multiply_amounts(1000),
        "thousandth": levels.multiply_amounts(0.001),
        "times_3": levels.multiply_amounts(3.3),
        "times_1_15": levels.multiply_amounts(1.15),
        "twelfth": levels.multiply_amounts(1 / 12),
        "weights_shuffled": levels.weights_shuffled,
        "currency_exchanged": levels.currency_exchanged,
        "weights_one": levels.change_weights(lambda w: 1.0),
        "weights_times_10": levels.change_weights(lambda w: w * 10),
        "weights_larger": levels.change_weights(lambda w: w * 1.4),
    },
    "dates": {
        "year_before": dates.dates_of_year_before,
        "first_of_month": dates.dates_on_first,
        "one_day": dates.dates_on_one_day,
        "period_again": dates.period_again,
        "day_and_month": dates.days_and_months_exchanged,
        "month_late": dates.dates_a_month_late,
        "years_exchanged": dates.years_exchanged,
    },
    "totals": {
        "outlier": levels.outlier,
        "largest_halved": levels.largest_halved,
        "part_lost": levels.part_lost,
        "sum_falls": levels.sum_falls,
    },
    "twice": {"block_twice": rows.block_twice, "rows_twice": rows.rows_twice, "all_twice": rows.all_twice},
    "delimiter": {
        "delimiter_first": rows.add_delimiter(0),
        "delimiter_middle": rows.add_delimiter(0.5),
        "delimiter_last": rows.add_delimiter(1),
    },
}
