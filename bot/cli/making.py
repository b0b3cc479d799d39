"""`imagine` and `remix`: wishes thought through, judged, made, judged again, and laid into a folder. No chat, no records."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal
from uuid import uuid4

from bot.cli.ends import End, say_problem
from bot.cli.looking import Input, LocalFiles, Seen, look_at, made_by, problem_of_input
from bot.cli.made_here import Attempts, MakingBar, Workshop, making_bar, save, stem_of, usable
from bot.config_file import read_config
from bot.generator import needs_understudy, open_generator
from bot.models import open_models
from bot.policies import own_policy
from bot.settings import Settings
from bot.understudy import Understudy
from pipelines.content import Attachment, ImagePart, Intake
from pipelines.errors import FlashbulbError, Misconfigured, Refused, Unavailable, UserError
from pipelines.generation.asking import parse, written
from pipelines.generation.brief import write_brief
from pipelines.generation.checking import Checker, wish_intake
from pipelines.generation.failures import REJECTIONS, FailureKind, GenerationFailed
from pipelines.generation.make import Checked, Making
from pipelines.generation.options import model_for, order_of
from pipelines.generation.permission import permission
from pipelines.generation.quality import POOR_BELOW
from pipelines.generation.styles import STYLES
from pipelines.generation.wish import Brief, MakerJob, MakerModel, Operation, Wish
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import ChannelPolicy, everywhere
from pipelines.ports import UNDERSTUDY
