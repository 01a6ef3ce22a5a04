"""Settings of a combined pipeline reach the inner pipelines, which do the work."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, UnCLIPScheduler
from torch._dynamo import OptimizedModule

from spacediff.errors import UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources.local.configure import apply_settings
from support.loops import Combined


def declared(**tables: Any) -> Settings:
    return Settings.of(tables, Origin.DECLARED)


def combined() -> Any:
    pipeline: Any = Combined()
    pipeline.scheduler = pipeline.decoder_pipe.scheduler = DDIMScheduler(beta_start=0.002)
    pipeline.prior_pipe.scheduler = UnCLIPScheduler()
    return pipeline


def test_a_scheduler_is_set_in_the_inner_pipeline_that_steps_it_and_in_no_other() -> None:
    pipeline = combined()
    prior = pipeline.prior_pipe.scheduler
    apply_settings(pipeline, declared(scheduler={"class": "DDPMScheduler"}))
    assert isinstance(pipeline.scheduler, DDPMScheduler)
    assert pipeline.decoder_pipe.scheduler is pipeline.scheduler
    assert pipeline.scheduler.config["beta_start"] == 0.002
    assert pipeline.prior_pipe.scheduler is prior


def test_a_switch_that_the_decoder_of_a_combined_pipeline_lacks_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedSetting, match="the VAE of Combined has no tiling"):
        apply_settings(combined(), declared(vae={"tiling": True}))


def test_a_denoiser_is_compiled_in_the_inner_pipeline_that_calls_it_and_no_other_is() -> None:
    pipeline = combined()
    pipeline.unet = pipeline.decoder_pipe.unet = torch.nn.Linear(2, 2)
    pipeline.prior_prior = pipeline.prior_pipe.prior = prior = torch.nn.Linear(2, 2)
    pipeline.components = {"unet": pipeline.unet, "prior_prior": prior}
    apply_settings(pipeline, declared(numerics={"compile": {"backend": "eager", "components": ["unet"]}}))
    assert isinstance(pipeline.unet, OptimizedModule)
    assert pipeline.decoder_pipe.unet is pipeline.unet
    assert pipeline.prior_prior is pipeline.prior_pipe.prior is prior


def test_a_pipeline_without_a_scheduler_refuses_one_by_name() -> None:
    pipeline = combined()
    del pipeline.scheduler
    with pytest.raises(UnsupportedSetting, match="Combined has no scheduler to set"):
        apply_settings(pipeline, declared(scheduler={"class": "DDPMScheduler"}))
