"""Foreigners of the synthetic country and where they lived, as tables: whom registers of foreigners are about.

They are few among many millions, and looked for once. Not here: what a register knows of them.
"""

from hims_synthetic.country import Country
from hims_synthetic.streams import HOME


def find_foreigners(country: Country) -> None:
    """Make the tables `foreign_persons` and `foreign_stays`, with the columns of `persons` and `stays`, once."""
    country.con.execute(
        f"""
        create table if not exists foreign_persons as
        select * from persons where citizenship != '{HOME}' and coalesce(second_citizenship, '') != '{HOME}'
        """
    )
    country.con.execute(
        "create table if not exists foreign_stays as"
        " select stays.* from stays semi join foreign_persons using (person_no)"
    )
