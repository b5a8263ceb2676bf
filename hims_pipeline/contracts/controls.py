"""Control figures: what others published and ours must equal, `data/controls/*.csv`, one row a figure.

Files there that have no column `control_id` are something else (what was published as a source: `published_claims`).
Not here: comparing them (the model `controls_compared`).
"""

import csv
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from hims_pipeline.contracts.basics import Strict
from hims_pipeline.contracts.indicators import load_breakdowns, load_indicators
from hims_pipeline.errors import ContractError


class Control(Strict):
    """One published figure.

    Args:
        indicator: empty for a figure about a fact, which the warehouse does not compare by itself.
        breakdown: `column=code` of every dimension that is not the total, joined by `;`; `universe=…` where an
            indicator has figures of several.
        value: in `unit`, the unit of the indicator. tolerance: in the same unit, what rounding allows.
    """

    control_id: Annotated[str, Field(min_length=1)]
    indicator: str
    source: Annotated[str, Field(min_length=1)]
    vintage: str
    time_period: Annotated[str, Field(min_length=1)]
    ref_area: str
    counterpart_area: str
    sex: str
    breakdown: str
    value: float
    tolerance: Annotated[float, Field(ge=0)]
    unit: str
    published_by: Annotated[str, Field(min_length=1)]
    note: str

    @property
    def broken_down(self) -> dict[str, str]:
        """Dimension -> code, of those that are not the total."""
        return dict(part.split("=", 1) for part in self.breakdown.split(";") if part)


def load_controls(data: Path) -> list[Control]:
    """All control figures; none where there is no such folder.

    Raises:
        ContractError: what is wrong, with file and line; all findings at once.
    """
    known = {"age", "universe", *(breakdown.name for breakdown in load_breakdowns(data))}
    indicators = load_indicators(data)
    controls: dict[str, Control] = {}
    wrong = []
    for path in sorted((data / "controls").glob("[!.]*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if "control_id" not in (reader.fieldnames or ()):
                continue
            for row in reader:
                place = f"{path.name}, line {reader.line_num}"
                try:
                    control = Control.model_validate(row)
                except ValidationError as error:
                    wrong += [f"{place}, {e['loc'][0] if e['loc'] else 'row'}: {e['msg']}" for e in error.errors()]
                    continue
                if control.control_id in controls:
                    wrong.append(f"{place}: {control.control_id} stands twice")
                controls[control.control_id] = control
                if control.indicator and control.indicator not in indicators:
                    wrong.append(f"{place}: there is no indicator {control.indicator}")
                elif control.indicator and indicators[control.indicator].unit_measure != control.unit:
                    wrong.append(
                        f"{place}: {control.indicator} is in {indicators[control.indicator].unit_measure}, "
                        f"not {control.unit}"
                    )
                if control.indicator and (strange := sorted(set(control.broken_down) - known)):
                    wrong.append(f"{place}: no breakdown {', '.join(strange)}")
    if wrong:
        raise ContractError("data/controls does not say what it must:\n  " + "\n  ".join(wrong))
    return list(controls.values())
