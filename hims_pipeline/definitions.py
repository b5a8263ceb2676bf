"""What Dagster loads: the definitions of this installation."""

from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.privacy.file_modes import make_home
from hims_pipeline.privacy.production import check_installation
from hims_pipeline.settings import apply_environment, load_settings

settings = load_settings()
apply_environment(settings)
make_home(settings)
check_installation(settings)
defs = build_definitions(settings)
