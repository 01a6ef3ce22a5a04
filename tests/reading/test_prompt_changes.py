"""What happens to a prompt before the call: rewriting and translation by any client, templates, and what is neither."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = """
import requests, torch
import gradio as gr
from diffusers import FluxPipeline

pipe = FluxPipeline.from_pretrained("org/flux")
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text), "app.py")


def changes(reading: Reading) -> list[tuple[str, str, bool]]:
    """Return kind, condition and whether it is usual, of each note on the prompt."""
    return [(note.kind, note.only_if, note.usual) for note in reading.notes if note.kind.startswith("prompt")]


CLIENTS = {
    "dashscope": """
        import dashscope
        def polish(text):
            answer = dashscope.Generation.call(model="qwen-plus", messages=[{"role": "user", "content": text}])
            return answer.output.choices[0].message.content
    """,
    "openai": """
        from openai import OpenAI
        client = OpenAI()
        def polish(text):
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
            return answer.choices[0].message.content.strip()
    """,
    "a stream of openai": """
        import openai
        def polish(text):
            made = ""
            for chunk in openai.OpenAI().chat.completions.create(model="m", messages=[text], stream=True):
                made += chunk.choices[0].delta.content
            return made
    """,
    "anthropic": """
        import anthropic
        def polish(text):
            return anthropic.Anthropic().messages.create(model="m", messages=[text]).content[0].text
    """,
    "google": """
        import google.generativeai as genai
        def polish(text):
            return genai.GenerativeModel("gemini").generate_content(text).text
    """,
    "ollama": """
        import ollama
        def polish(text):
            return ollama.chat(model="llama", messages=[text])["message"]["content"]
    """,
    "vllm": """
        from vllm import LLM, SamplingParams
        llm = LLM("some/llm")
        def polish(text):
            return llm.generate([text], SamplingParams())[0].outputs[0].text
    """,
    "huggingface_hub": """
        from huggingface_hub import InferenceClient
        def polish(text):
            return InferenceClient("some/llm").chat_completion([{"role": "user", "content": text}]).choices[0].message
    """,
    "a web service": """
        import json
        def polish(text):
            answer = requests.post("http://127.0.0.1:8000/v1/chat/completions", json={"messages": [text]})
            return json.loads(answer.text)["choices"][0]["message"]["content"]
    """,
    "transformers.pipeline": """
        from transformers import pipeline
        magic = pipeline("text-generation", model="some/magic")
        def polish(text):
            return magic(text, max_length=80)[0]["generated_text"]
    """,
    "transformers": """
        from transformers import AutoModelForCausalLM, AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained("some/llm")
        llm = AutoModelForCausalLM.from_pretrained("some/llm").to("cuda")
        def polish(text):
            made = llm.generate(**tokenizer(text, return_tensors="pt").to("cuda"), max_new_tokens=80)
            return tokenizer.decode(made[0], skip_special_tokens=True)
    """,
    "another Space": """
        from gradio_client import Client
        client = Client("some/enhancer")
        def polish(text):
            return client.predict(text, api_name="/predict")
    """,
    "a helper that is not there": "from tools.prompt_utils import rewrite as polish",
    "a method of a class that is not there": """
        from tools import PromptEnhancer
        enhancer = PromptEnhancer()
        def polish(text):
            return enhancer.enhance(text)
    """,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_language_model_that_the_prompt_comes_out_of_rewrites_it(client: str) -> None:
    reading = read(f"{textwrap.dedent(CLIENTS[client])}\npipe(prompt=polish('a kite')).images[0].save('k.png')\n")
    assert changes(reading) == [("prompt rewriting", "", True)]
    assert reading.settings["call.prompt"].origin is Origin.UNKNOWN


@pytest.mark.parametrize("client", CLIENTS)
def test_a_language_model_whose_answer_goes_elsewhere_rewrites_nothing(client: str) -> None:
    reading = read(f"{textwrap.dedent(CLIENTS[client])}\npipe(prompt='a kite').images[0].save(polish('a name'))\n")
    assert changes(reading) == []
    assert reading.settings.value("call.prompt") == "a kite"


@pytest.mark.parametrize(
    "call",
    [
        "convert_prompt_to_filename('a kite')",
        "save_prompt_to_file('a kite')",
        "encode_prompt('a kite')",
        "load_prompts('prompts.txt')",
    ],
)
def test_a_function_that_only_has_the_word_prompt_in_its_name_rewrites_nothing(call: str) -> None:
    reading = read(f"from tools import *\nname = {call}\npipe(prompt='a kite').images[0].save(name)\n")
    assert changes(reading) == []


def test_a_translator_is_reported_as_such() -> None:
    reading = read("""
        from deep_translator import GoogleTranslator
        pipe(prompt=GoogleTranslator(source="auto", target="en").translate("ein Drachen")).images[0].save("k.png")
    """)
    assert changes(reading) == [("prompt translation", "", True)]


@pytest.mark.parametrize(("default", "usual"), [("True", True), ("False", False)])
def test_rewriting_behind_a_switch_has_its_condition(default: str, usual: bool) -> None:  # noqa: FBT001 - a parameter
    reading = read(f"""
        from cog import BasePredictor, Input
        from transformers import AutoModelForCausalLM, AutoTokenizer
        class Predictor(BasePredictor):
            def setup(self):
                self.tok = AutoTokenizer.from_pretrained("some/llm")
                self.llm = AutoModelForCausalLM.from_pretrained("some/llm").to("cuda")
            def predict(self, prompt: str = Input(description="what"), extend: bool = Input(default={default})):
                if extend:
                    ids = self.tok(prompt, return_tensors="pt").to("cuda")
                    prompt = self.tok.decode(self.llm.generate(**ids)[0], skip_special_tokens=True)
                return pipe(prompt=prompt).images[0]
    """)
    assert changes(reading) == [("prompt rewriting", "extend", usual)]


ENHANCE = """
    from openai import OpenAI
    def make(text):
        return pipe(text).images[0]
    def enhance(text):
        return OpenAI().chat.completions.create(model="m", messages=[text]).choices[0].message.content
    with gr.Blocks() as demo:
        box, out = gr.Textbox(label="Prompt"), gr.Image()
        {events}
"""


def test_rewriting_by_another_button_needs_the_user() -> None:
    reading = read(ENHANCE.replace("{events}", """gr.Button("Generate").click(make, inputs=[box], outputs=[out])
        gr.Button("Enhance").click(enhance, inputs=[box], outputs=[box])"""))  # fmt: skip
    assert changes(reading) == [("prompt rewriting", "the user triggers 'Enhance' first", False)]


def test_rewriting_by_an_earlier_event_of_the_chain_is_usual() -> None:
    reading = read(ENHANCE.replace("{events}", "gr.Button().click(enhance, box, box).then(make, box, out)"))
    assert changes(reading) == [("prompt rewriting", "", True)]


@pytest.mark.parametrize(
    ("made", "template"),
    [
        ("f'{prompt}, sharp'", "{prompt}, sharp"),
        ("prompt + ', sharp'", "{prompt}, sharp"),
        ("'ink drawing of ' + prompt.strip()", "ink drawing of {prompt}"),
        ("'ink drawing of {prompt}'.replace('{prompt}', prompt)", "ink drawing of {prompt}"),
        ("'ink drawing of {}'.format(prompt)", "ink drawing of {prompt}"),
        ("'ink drawing of {words}'.format(words=prompt)", "ink drawing of {prompt}"),
    ],
)
def test_a_template_is_shown_with_its_text(made: str, template: str) -> None:
    source = """
        def draw(prompt):
            return pipe({made}).images[0]
        gr.Interface(draw, [gr.Textbox({box}label="prompt")], gr.Image()).launch()
    """.replace("{made}", made)
    empty, filled = read(source.replace("{box}", "")), read(source.replace("{box}", "'a kite', "))
    for reading in (empty, filled):
        assert [note.text for note in reading.notes if note.kind == "prompt template"] == [template]
    assert empty.settings["call.prompt"].origin is Origin.UNKNOWN
    assert filled.settings.value("call.prompt") == template.replace("{prompt}", "a kite")


def test_a_joined_prompt_has_its_template() -> None:
    reading = read("""
        def draw(prompt):
            return pipe(", ".join([prompt, "sharp"])).images[0]
        gr.Interface(draw, [gr.Textbox(label="prompt")], gr.Image()).launch()
    """)
    assert [note.text for note in reading.notes if note.kind == "prompt template"] == ["{prompt}, sharp"]


def test_a_style_has_its_template_and_its_negative_prompt() -> None:
    reading = read("""
        ROWS = [{"name": "Ink", "yes": "ink drawing of {prompt}", "no": "colour, "}]
        STYLES = {row["name"]: (row["yes"], row["no"]) for row in ROWS}
        def styled(name, yes, no):
            p, n = STYLES.get(name, STYLES["Ink"])
            return p.replace("{prompt}", yes), n + no
        def draw(prompt, no, style):
            prompt, no = styled(style, prompt, no)
            return pipe(prompt, negative_prompt=no).images[0]
        boxes = [gr.Textbox(label="Prompt"), gr.Textbox("ugly", label="Negative")]
        gr.Interface(draw, [*boxes, gr.Dropdown(list(STYLES), value="Ink")], gr.Image()).launch()
    """)
    assert [note.text for note in reading.notes if note.kind == "prompt template"] == ["ink drawing of {prompt}"]
    assert reading.settings.value("call.negative_prompt") == "colour, ugly"


def test_a_prompt_that_stays_as_the_user_writes_it_has_no_note() -> None:
    reading = read("""
        def draw(prompt):
            return pipe(f"{prompt}".strip()).images[0]
        gr.Interface(draw, [gr.Textbox("a kite", label="Prompt")], gr.Image()).launch()
    """)
    assert changes(reading) == []


@pytest.mark.parametrize(
    ("lines", "notes"),
    [
        ("smooth = load_rife_model('rife')", []),
        ("upscaler = RealESRGANer(scale=4)", []),
        ("frames = interpolate_frames(frames)", [("frame interpolation", "", True)]),
        ("big = load_upscaler().upscale(frames)", [("upscaling", "", True)]),
    ],
)
def test_loading_what_changes_frames_changes_none(lines: str, notes: list[tuple[str, str, bool]]) -> None:
    reading = read(f"from tools import *\nupscaler = load_upscaler()\nframes = pipe('a kite').images\n{lines}\n")
    kinds = {"frame interpolation", "upscaling"}
    assert [(note.kind, note.only_if, note.usual) for note in reading.notes if note.kind in kinds] == notes


def test_interpolation_behind_a_checkbox_that_is_off_is_not_usual() -> None:
    reading = read("""
        from rife_model import load_rife_model, rife_inference_with_latents
        rife = load_rife_model("model_rife")
        def make(prompt, smooth):
            video = pipe(prompt).images
            if smooth:
                video = rife_inference_with_latents(rife, video)
            return video
        gr.Interface(make, [gr.Textbox(), gr.Checkbox(label="smooth", value=False)], gr.Video()).launch()
    """)
    found = [(note.only_if, note.usual) for note in reading.notes if note.kind == "frame interpolation"]
    assert found == [("smooth", False)]
