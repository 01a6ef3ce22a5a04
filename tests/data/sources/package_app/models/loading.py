import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXPipeline, CogVideoXTransformer3DModel
from torchao.quantization import int8_weight_only, quantize_


def build(name):
    transformer = CogVideoXTransformer3DModel.from_pretrained(name, subfolder="transformer", torch_dtype=torch.bfloat16)
    quantize_(transformer, int8_weight_only())
    pipe = CogVideoXPipeline.from_pretrained(name, transformer=transformer, torch_dtype=torch.bfloat16)
    match name:
        case "THUDM/CogVideoX-2b":
            pipe.to("cuda")
        case _:
            pipe.enable_group_offload(onload_device=torch.device("cuda"), offload_type="leaf_level")
    return pipe
