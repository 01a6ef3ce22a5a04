from __future__ import annotations

import pytest

from spacediff.record import Standing, SuspectRecord
from spacediff.wording import setting_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("scheduler.class", "scheduler"),
        ("components.vae.id", "the VAE"),
        ("components.text_encoder_2", "the second text encoder"),
        ("components.transformer.dtype", "dtype of the transformer"),
        ("components.transformer.quantization.bits", "quantisation of the transformer"),
        ("lora.style", "LoRA style"),
        ("lora.style.scale", "scale of LoRA style"),
        ("ip_adapter.scale", "scale of the IP adapter"),
        ("inputs.image.resize", "resize of the input image"),
        ("vae.dtype", "dtype of the VAE"),
        ("numerics.attention", "attention backend"),
        ("packages.ftfy", "whether ftfy is installed"),
        ("call.something_new", "call.something_new"),
    ],
)
def test_a_setting_has_the_name_that_people_have_for_it(path: str, name: str) -> None:
    assert setting_name(path) == name


def test_none_is_not_the_same_as_left_unset() -> None:
    unset = SuspectRecord(path="load.safety_checker", start=None, target=None, standing=Standing.CAUSE)
    assert unset.target_unset
    assert not unset.model_copy(update={"target_none": True}).target_unset
