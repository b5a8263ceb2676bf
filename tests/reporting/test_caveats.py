"""What a release says of its batches: late sources, and what people accepted; and what holds it."""

from datetime import date

import pytest
import yaml

from hims_pipeline import intake
from hims_pipeline.build_preconditions import require_fresh
from hims_pipeline.defs.intake import gate_metadata
from hims_pipeline.defs.sources import reasons_by_period
from hims_pipeline.errors import HimsError
from hims_pipeline.gates.report import reasons_markdown
from hims_pipeline.lake.lateness import late_sources
from hims_pipeline.release import caveats
from hims_pipeline.release.data_docs import find_page
from hims_pipeline.staging.inputs import current_batches
from tests.reporting.conftest import SPITE, csv, rows


def policy(settings, **values: object) -> None:
    path = settings.data / "observatory.yml"
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    record["policies"] = {**record.get("policies", {}), **values}
    path.write_text(yaml.safe_dump(record, allow_unicode=True, sort_keys=False), encoding="utf-8")


def test_notes_and_manifest_name_who_accepted_what_and_why(settings, deliver) -> None:
    delivery, _ = deliver(csv(rows(women=0.1)), "2024")
    intake.accept(settings, delivery.batch, "Amel B.", f"A camp opened {SPITE}")
    known = caveats.caveats_of(settings, current_batches(settings))
    (said,) = known["accepted_against_the_gate"]
    assert (said["batch"], said["rules"], said["name"]) == (delivery.batch, ["ARRIVALS-001"], "Amel B.")
    text = caveats.caveat_notes(known)
    assert f"- {delivery.batch} (ARRIVALS-001), by Amel B. on 20" in text
    assert "<script" not in text
    assert "None were." in text


@pytest.mark.parametrize(("day", "late"), [("2025-06-01", False), ("2027-01-01", True)])
def test_a_late_source_stands_on_its_last_period_or_holds_the_release(settings, day, late) -> None:
    today, counting = date.fromisoformat(day), [("arrivals", "2023"), ("arrivals", "2024")]
    found = late_sources(settings, counting, today)
    assert [(one.source, one.last_period) for one in found] == ([("arrivals", "2024")] if late else [])
    require_fresh(settings, counting, today)
    policy(settings, fresh_sources=["arrivals"])
    if late:
        with pytest.raises(HimsError, match="arrivals: its last period is 2024, the next was due"):
            require_fresh(settings, counting, today)
    else:
        require_fresh(settings, counting, today)
    policy(settings, fresh_sources=["nothing"])
    with pytest.raises(HimsError, match="no contract"):
        require_fresh(settings, counting, today)


def test_a_check_over_many_periods_tells_all_of_them(settings, deliver) -> None:
    import dagster as dg

    results = {}
    for text, period in ((csv(rows(women=0.1)), "2021"), (csv([*rows(), *rows(1)]), "2022"), (csv(rows()), "2023")):
        delivery, verdict = deliver(text, period)
        metadata = gate_metadata(settings, delivery, verdict)
        for name in ("report_fr", "report_ar", "report_en", "data_docs"):
            assert find_page(settings, metadata[name].url.removeprefix("/gate/")).is_file()
        said = "\n".join(one.sentence() for one in verdict.reasons)
        results[period] = dg.AssetCheckResult(passed=verdict.accepted, description=said, metadata=metadata)
        assert ("rules hold" in reasons_markdown(verdict)) is verdict.accepted
    told = reasons_by_period(results)
    assert "2021" in told
    assert "ARRIVALS-001" in told
    assert "2022" in told
    assert "ARRIVALS-PEOPLE-KEY" in told
    assert "2023" not in told
