"""What can be chosen when particles and cracks are found. Lengths are in voxels unless the title says otherwise."""

from typing import Any, Literal

from pydantic import Field, model_validator

from analysis.core.params import Params

VOXELS: dict[str, Any] = {"unit": "voxels"}
Detector = Literal["hysteresis", "intensity", "sheet", "tophat"]


class ParticleParams(Params):
    """How particles and their envelopes are found."""

    smooth: float = Field(1.0, ge=0, le=5, title="Smoothing (Gaussian)", json_schema_extra=VOXELS)
    closing: float = Field(8.0, ge=0, le=100, title="Closing radius of the envelope", json_schema_extra=VOXELS)
    fill: bool = Field(True, title="Envelope without holes")
    split: bool = Field(True, title="Touching particles are split")
    neck: float = Field(
        0.75, gt=0, lt=1, title="Widest neck that is split", description="Radius of the neck over that of the smaller particle"
    )
    min_particle: int = Field(1000, ge=1, title="Smallest particle", json_schema_extra=VOXELS)
    solid: float | None = Field(None, title="Absorption of the solid", description="Empty: found in the volume")
    void: float | None = Field(None, title="Absorption of the void", description="Empty: that of the surroundings")

    @model_validator(mode="after")
    def _dark_voids(self) -> "ParticleParams":
        if self.solid is not None and self.void is not None and self.solid <= self.void:
            raise ValueError("the absorption of the solid must be above that of the void")
        return self


class CrackParams(ParticleParams):
    """How cracks are found inside the envelopes."""

    detector: Detector = Field("hysteresis", title="Cracks are told by")
    seed: float = Field(6.0, gt=0, le=50, title="A crack begins at", json_schema_extra={"unit": "× noise"})
    grow: float = Field(3.0, gt=0, le=50, title="and goes on down to", json_schema_extra={"unit": "× noise"})
    depth: float = Field(0.12, ge=0, lt=1, title="Least darkness of a beginning", description="0: as the solid, 1: as the void")
    threshold: float = Field(0.5, gt=0, lt=1, title="Intensity threshold", description="0: as the solid, 1: as the void")
    sheet_scale: float = Field(1.5, gt=0, le=8, title="Scale of the sheet filter", json_schema_extra=VOXELS)
    tophat: int = Field(5, ge=1, le=30, title="Widest crack of the top-hat filter, half", json_schema_extra=VOXELS)
    margin: float = Field(3.0, ge=0, le=20, title="Cracks begin below the surface at", json_schema_extra=VOXELS)
    min_crack: int = Field(50, ge=1, title="Smallest crack", json_schema_extra=VOXELS)
    boundary: Literal["volume", "half"] = Field(
        "volume", title="Walls of a crack", description="volume: as much crack as absorption is missing; half: at half the contrast"
    )
    blanks: int = Field(3, ge=0, le=20, title="Dense phantoms for the detection limit (0: none)")
    random: int = Field(0, ge=0, title="Seed of their noise")

    @model_validator(mode="after")
    def _ordered(self) -> "CrackParams":
        if self.grow > self.seed:
            raise ValueError("a crack must begin at a higher contrast than that down to which it goes on")
        return self
