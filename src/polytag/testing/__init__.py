"""For plugin authors: a test suite that reports which contract a plugin breaks.

```python
from polytag.testing import PluginConformance


class TestAcme(PluginConformance):
    plugin = "acme"
```

pytest then runs one test for every contract of every contribution of the installed plugin named `acme`. The fixtures
`polytag_manager` and `polytag_corpus` are available wherever polytag is installed.
"""

from polytag.plugin.manager import PluginManager
from polytag.testing.conformance import PluginConformance
from polytag.testing.contracts import BrokenContractError
from polytag.testing.suite import Case, Outcome, cases, check

__all__ = ["BrokenContractError", "Case", "Outcome", "PluginConformance", "PluginManager", "cases", "check"]
