"""Arguments of the libraries that a scenario cannot give, with the reason or with what to do instead."""

from __future__ import annotations

import re

OWNED = {
    "call.prompt": "no prompt here: it is taken from [prompts.NAME]",
    "call.generator": "no generator here: spacediff creates it from rng.seed, rng.device and rng.dtype",
    "call.callback_on_step_end": "no callback here: spacediff records every step through it",
    "call.callback_on_step_end_tensor_inputs": "no callback here: spacediff records every step through it",
    "call.output_type": "no output type here: spacediff needs the frames as the pipeline returns them",
    "call.return_dict": "no such switch here: spacediff reads the pipeline's result object",
    "load.pretrained_model_name_or_path": "no checkpoint here: it is named by model.id",
    "load.revision": "no revision here: it is set by model.revision",
    "load.variant": "no variant here: it is set by model.variant",
    "load.torch_dtype": "no dtype here: it is set by model.dtype, components.NAME.dtype or vae.dtype",
    "load.dtype": "no dtype here: it is set by model.dtype, components.NAME.dtype or vae.dtype",
    "load.token": "no token here, since a scenario goes into the audit: log in with `hf auth login` or set HF_TOKEN",
}
"""Arguments that spacediff passes itself, with what to do instead."""

NOT_AT_LOADING = {
    "load.quantization_config": "it is said per component: components.NAME.quantization",
}
"""Arguments of `from_pretrained` that a scenario says elsewhere, with the place."""
RUNS_CODE = frozenset({"load.trust_remote_code", "load.custom_pipeline"})
"""Settings that run code of others: neither a patch nor a scenario that is written from a source has them."""
COMPONENT_NAME = re.compile(
    r"(vae|movq|vqgan|unet|prior|transformer|text_encoder|tokenizer|image_encoder|image_processor|feature_extractor|"
    r"safety_checker|controlnet|motion_adapter|connectors|vocoder|scheduler)(_[a-z0-9]+)*"
)
"""Names of components in the pipelines of diffusers."""
OF_COMPONENTS = 'no value here: a component is loaded by components.{name} = {{ id = "…" }}, or left out by "none"'
"""What to do instead of an argument of `from_pretrained` that is a component."""
PACKAGES_ARE_INSTALLED = (
    "no such table: no variant can set which packages are installed; install the package, or remove it, and audit again"
)
"""What is said in place of a package that a scenario tries to set."""
