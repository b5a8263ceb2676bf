"""What Dagster loads: the definitions of this installation."""

from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.settings import apply_environment, load_settings

settings = load_settings()
apply_environment(settings)
defs = build_definitions(settings)
