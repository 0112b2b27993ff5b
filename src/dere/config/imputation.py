"""Configuration of the probabilistic label expansion."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section
from dere.config.training import TrainingConfig


class MaskConfig(Section):
    """Mixture of the gap types that training hides; the shares are normalised to sum 1."""

    site: float = Field(0.25, ge=0)
    """Every month hidden, as at a site without observations."""
    years: float = Field(0.2, ge=0)
    """Whole calendar years hidden, from one to all but one."""
    season: float = Field(0.2, ge=0)
    """The same run of calendar months in most years, drawn where towers have gaps (northern winters)."""
    edge: float = Field(0.15, ge=0)
    """The first or last half-year to two years."""
    pattern: float = Field(0.15, ge=0)
    """The gaps of another training tower, laid over this one."""
    scattered: float = Field(0.05, ge=0)
    """Single months."""


class PointModelConfig(Section):
    """The cross-fitted point model that the diffusion refines."""

    groups: int = Field(5, ge=2)
    """Groups of clusters; a training tower is predicted by the networks that did not see its group."""
    members: int = Field(3, ge=1)
    """Networks averaged per group."""
    width: int = Field(48, ge=4)
    """Hidden width."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout share."""
    input_noise: float = Field(0.3, ge=0)
    """Gaussian noise on the standardised inputs in training, against memorising sites."""
    use_simulation: bool = True
    """Give the simulated fluxes to the point model and the denoiser, where the canonical set has them."""
    training: TrainingConfig = TrainingConfig(
        epochs=12, steps_per_epoch=20, batch=384, learning_rate=5e-3, weight_decay=0.3, patience=6
    )
    """Training of the networks."""


class SystematicConfig(Section):
    """Error of observed labels that stays at a site, over their random error: standard deviations of each flux."""

    gpp: float = Field(0.9, ge=0)
    """Of GPP."""
    reco: float = Field(1.1, ge=0)
    """Of RECO."""
    nee: float = Field(1.5, ge=0)
    """Of NEE. As GPP = RECO - NEE, the three say how the errors of GPP and RECO go together."""


class ImputationConfig(Section):
    """Imputation of (NEE, RECO): a conditional diffusion, optimal interpolation on trees, and their mix."""

    filled_by: Literal["mix", "diffusion", "optimal_interpolation"] = "mix"
    """What trajectories come from: the diffusion, optimal interpolation of the residuals of boosted trees, or half of
    them from each, every one whole; with the diffusion alone no trees are fitted."""
    channels: int = Field(32, ge=4)
    """Width of the denoiser."""
    layers: int = Field(3, ge=1)
    """Residual blocks."""
    heads: int = Field(4, ge=1)
    """Pooling heads along time (whole record and same calendar month); must divide the width."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout share in the side information."""
    diffusion_steps: int = Field(50, ge=2)
    """Steps of the forward process."""
    sampling_steps: int = Field(15, ge=1)
    """Network calls per sample."""
    sampler: Literal["dpm", "ddim"] = "dpm"
    """dpm = second-order multistep solver; ddim = first order, as in the literature."""
    eta: float = Field(0.0, ge=0, le=1)
    """ddim only: share of fresh noise per step, 0 = deterministic, 1 = ancestral."""
    samples: int = Field(50, ge=2)
    """Trajectories per site, drawn in one batch."""
    scored_samples: int = Field(20, ge=2)
    """Trajectories per gap where the imputation is scored on hidden months (imputation.csv)."""
    margin_months: int = Field(12, ge=0)
    """Months before and after a record that get labels too."""
    window: int = Field(120, ge=24)
    """Longest stretch of months in one training draw; generation always sees the whole record."""
    nee_alone: float = Field(0.25, ge=0, lt=1)
    """Share of training draws that lose RECO and keep NEE, in a run of months or all, so that RECO is learned given
    NEE; without effect where no tower of the fold has months with NEE alone."""
    minimum_quality: float = Field(0.5, ge=0, le=1)
    """Months of lower quality count as missing."""
    floor: float = Field(0.15, gt=0)
    """Smallest standard deviation of an observed label (gC m-2 d-1)."""
    relative_floor: float = Field(0.05, ge=0)
    """Smallest standard deviation of an observed label as a share of its value."""
    systematic: SystematicConfig = SystematicConfig()
    """Error of observed labels that stays at a site, over their random error: trajectories and quantiles have both, the
    covariance that weighs labels the random one."""
    resample_effects: float = Field(0.5, ge=0, le=1)
    """Share of training draws whose site level, amplitude and season deviation are redrawn from the site prior."""
    resample_sign: float = Field(0.5, ge=0, le=1)
    """Share of training draws whose deviation from the point model changes sign."""
    calibrate_spread: bool = True
    """Scale the spread by a factor for each kind of gap (short, long, a calendar month never seen, whole site, RECO
    given NEE), with which 90 % intervals hold 90 % of hidden values of validation towers."""
    masks: MaskConfig = MaskConfig()
    """Which gaps training imitates."""
    point: PointModelConfig = PointModelConfig()
    """The point model under the diffusion."""
    training: TrainingConfig = TrainingConfig(
        epochs=20, steps_per_epoch=40, batch=16, learning_rate=3e-3, weight_decay=1e-3, patience=6
    )
    """Training of the denoiser."""
