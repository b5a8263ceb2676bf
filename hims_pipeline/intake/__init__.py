"""From deliveries to judged batches: what is pending (`find_pending`), taking one in (`taking_in`), withdrawing it
(`withdrawals`), deciding on it against the gate (`decisions`), and where each stands (`states`)."""

from hims_pipeline.intake.decisions import accept, reject, resubmit
from hims_pipeline.intake.pending import (
    LEFT,
    Pending,
    contract_sha256,
    find_doubtful,
    find_pending,
    inputs_of,
    problems,
    reader_provenance,
)
from hims_pipeline.intake.states import BatchState, find_destroyed, states
from hims_pipeline.intake.taking_in import contract_of, survey_landing, take_in, take_over_dropped
from hims_pipeline.intake.withdrawals import reinstate, withdraw

__all__ = [
    "LEFT",
    "BatchState",
    "Pending",
    "accept",
    "contract_of",
    "contract_sha256",
    "find_destroyed",
    "find_doubtful",
    "find_pending",
    "inputs_of",
    "problems",
    "reader_provenance",
    "reinstate",
    "reject",
    "resubmit",
    "states",
    "survey_landing",
    "take_in",
    "take_over_dropped",
    "withdraw",
]
