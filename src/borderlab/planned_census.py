"""The census of timm that an experiment asks for (a part of `borderlab.plan`)."""

from borderlab.identity import result_hash
from borderlab.padding.names import PADDING_MODE_MODULES
from borderlab.spec import Spec

CENSUS_CODE = "borderlab.padding.timm_census"


class CensusSpec(Spec):
    """Architectures of timm whose padding is counted; the installed timm is a library of every identity."""

    pattern: str

    @property
    def name(self) -> str:
        """Folder of the census below artifacts/census/."""
        return f"timm-{result_hash(self, CENSUS_CODE, (PADDING_MODE_MODULES['partial'],))}"
