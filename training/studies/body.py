"""`infant-arm study body --change growth | tool | damage`: what does a map know of a body that changes?"""

from .changes import damage, growth, tool
from .changes.config import Config
from .frame.study import Studies

CHANGES = {study.part: study for study in (growth.STUDY, tool.STUDY, damage.STUDY)}
STUDY = Studies("body", Config, lambda config: CHANGES[config.change])
