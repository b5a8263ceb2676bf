"""What a visitor may do: GraphQL's operations by role.

Everybody looks; operators start and stop; some things nobody does by hand, since what they report would be taken for a
run's own word.
"""

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, OperationType, parse
from graphql.language import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from hims_pipeline.ui.visitors import OPERATOR, Visitor

# Every mutation of Dagster's schema stands in one of the two; a test holds them together. One in neither is refused.
FOR_OPERATORS = frozenset(
    {
        "addDynamicPartition", "cancelPartitionBackfill", "deleteConcurrencyLimit", "deleteDynamicPartitions",
        "deletePipelineRun", "deleteRun", "freeConcurrencySlots", "freeConcurrencySlotsForRun", "launchMultipleRuns",
        "launchPartitionBackfill", "launchPipelineExecution", "launchPipelineReexecution", "launchRun",
        "launchRunReexecution", "reexecutePartitionBackfill", "reloadRepositoryLocation", "reloadWorkspace",
        "resetSchedule", "resetSensor", "resumePartitionBackfill", "scheduleDryRun", "sensorDryRun",
        "setAutoMaterializePaused", "setConcurrencyLimit", "setNuxSeen", "setSensorCursor", "startSchedule",
        "startSensor", "stopRunningSchedule", "stopSensor", "terminatePipelineExecution", "terminateRun",
        "terminateRuns", "wipeAssets",
    }
)  # fmt: skip
FOR_NOBODY = frozenset(
    {
        "reportAssetCheckEvaluations", "reportRunlessAssetEvents",  # only a run of ours reports
        "logTelemetry",  # nothing is told to others
        "deleteAppManagedComponent", "refreshComponentState", "setAppManagedComponent",  # code is not edited here
        "shutdownRepositoryLocation",  # `hims ui` starts and stops it
    }
)  # fmt: skip
UNREAD = "a document that cannot be read"


def mutations(query: str) -> list[str]:
    """Names of all mutations in a GraphQL document, whichever of its operations is asked for; `UNREAD` of one that
    cannot be parsed here. How deeply one may be nested depends on the calls around the parser, so Dagster may well be
    able to parse it, and to run it."""
    try:
        document = parse(query)
    except GraphQLError:
        return [UNREAD]
    operations = [definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode)]
    names: list[str] = []
    for one in operations:
        if one.operation == OperationType.MUTATION:
            _collect(document, one.selection_set, names, set())
    return names


def _collect(document: DocumentNode, chosen: SelectionSetNode, names: list[str], seen: set[str]) -> None:
    for selection in chosen.selections:
        if isinstance(selection, FieldNode):
            names.append(selection.name.value)
        elif isinstance(selection, InlineFragmentNode):
            _collect(document, selection.selection_set, names, seen)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
            seen.add(selection.name.value)
            for definition in document.definitions:
                if isinstance(definition, FragmentDefinitionNode) and definition.name.value == selection.name.value:
                    _collect(document, definition.selection_set, names, seen)


def refusal(visitor: Visitor, names: list[str]) -> str:
    """Why a visitor may not run these mutations; empty where they may."""
    if UNREAD in names:
        return "This document is no GraphQL, or is nested too deeply."
    if names and visitor.role != OPERATOR:
        return f"{visitor.name} may look and start nothing: {', '.join(names)} is for operators."
    if closed := [name for name in names if name not in FOR_OPERATORS]:
        return f"{', '.join(closed)} is done by nobody here: what a run reports, only a run reports."
    return ""
