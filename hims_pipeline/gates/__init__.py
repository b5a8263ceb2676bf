"""The gate: a contract's rules and the statisticians' judgement, evaluated by Great Expectations, into a verdict.

Here: which rules there are, how they are evaluated, when a batch passes. Not here: reading files, moving batches.
"""

from hims_pipeline.gates.engine import GateError
from hims_pipeline.gates.inputs import gate_inputs
from hims_pipeline.gates.judge import GateOutcome, judge, judge_database, rules_of

__all__ = ["GateError", "GateOutcome", "gate_inputs", "judge", "judge_database", "rules_of"]
