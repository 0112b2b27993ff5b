"""Configuration of backbones, stages and their training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section


class BackboneConfig(Section):
    """Size of a sequence network."""

    width: int = Field(64, ge=4)
    """Model width (d_model)."""
    heads: int = Field(4, ge=1)
    """Attention heads."""
    encoder_layers: int = Field(2, ge=1)
    """Encoder layers."""
    decoder_layers: int = Field(1, ge=1)
    """Decoder layers."""
    feedforward: int = Field(128, ge=4)
    """Width of the feed-forward layers."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout share."""
    decoder_self_attention: bool = False
    """Causal self-attention in the decoder, as published; its input is nearly constant there, so off by default."""


class TrainingConfig(Section):
    """One training run; the loop is the same for every stage."""

    epochs: int = Field(10, ge=1)
    """Largest number of epochs."""
    steps_per_epoch: int = Field(20, ge=1)
    """Random draws per epoch: an epoch is a fixed amount of work, not a sweep."""
    batch: int = Field(16, ge=1)
    """Windows per step."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate; warm-up, then cosine decay."""
    weight_decay: float = Field(1e-4, ge=0)
    """Decoupled weight decay (AdamW)."""
    patience: int = Field(4, ge=1)
    """Epochs without better validation loss before stopping."""
    gradient_clip: float = Field(1.0, gt=0)
    """Largest gradient norm."""
    ages_per_step: int = Field(4, ge=1)
    """Stand ages drawn per window and step (simulation stages)."""
    bf16: bool = False
    """Run the forward pass in bfloat16."""
    compile: bool = False
    """Use torch.compile."""


class TowerTrainingConfig(TrainingConfig):
    """Fine-tuning on towers."""

    pull: float = Field(1e-3, ge=0)
    """L2 pull of the weights to the simulation-trained ones."""
    adapters: bool = False
    """Small trainable adapters on the pure decoders (off = frozen, as published)."""
    frozen: tuple[Literal["competition", "plant_types", "level", "backbone"], ...] = ()
    """Parts of the network that towers do not change; the pure stands are always frozen."""
    balance: float = Field(0.5, ge=0, le=1)
    """0 = every month counts alike; 1 = errors count relative to each tower's own variability."""


class StagesConfig(Section):
    """The stages of DERE and of the network baselines."""

    pure: TrainingConfig = TrainingConfig()
    mixture: TrainingConfig = TrainingConfig()
    age: TrainingConfig = TrainingConfig()
    plant_types_simulated: TrainingConfig = TrainingConfig()
    plant_types_observed: TrainingConfig = TrainingConfig()
    towers: TowerTrainingConfig = TowerTrainingConfig()
    uncertain: TowerTrainingConfig = TowerTrainingConfig()
    baseline: TowerTrainingConfig = TowerTrainingConfig()
    kgml_simulation: TrainingConfig = TrainingConfig()
    kgml_towers: TowerTrainingConfig = TowerTrainingConfig()
