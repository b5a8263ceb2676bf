"""From deliveries to judged batches: what is pending (`pending`), taking one in (`taking_in`), withdrawing it
(`withdrawals`), deciding on it against the gate (`decisions`), and where each stands (`states`)."""

from hims_pipeline.intake.decisions import accept, reject, resubmit
from hims_pipeline.intake.pending import (
    Pending,
    contract_sha256,
    doubtful,
    inputs_of,
    pending,
    problems,
    reader_provenance,
)
from hims_pipeline.intake.states import BatchState, destroyed, states
from hims_pipeline.intake.taking_in import LEFT, collect, contract_of, take_in, waiting
from hims_pipeline.intake.withdrawals import reinstate, withdraw

__all__ = [
    "LEFT",
    "BatchState",
    "Pending",
    "accept",
    "collect",
    "contract_of",
    "contract_sha256",
    "destroyed",
    "doubtful",
    "inputs_of",
    "pending",
    "problems",
    "reader_provenance",
    "reinstate",
    "reject",
    "resubmit",
    "states",
    "take_in",
    "waiting",
    "withdraw",
]
