"""The emulated ModelsLab: makes pictures, clips and sound to order, on this machine, and fails as it is told to."""

from emulators.modelslab.faults import FAULTS, Fault
from emulators.modelslab.jobs import Job
from emulators.modelslab.server import ModelsLabEmulator

__all__ = ["FAULTS", "Fault", "Job", "ModelsLabEmulator"]
