import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { counterRng, useBackend } from "@eitp/engine";
import { generateAll, gpt, presets, toHostParams, toParams } from "@eitp/gpt";
import { loadHuggingFace, saveHuggingFace } from "@eitp/gpt/node";
import { beforeAll, expect, test } from "vitest";

const python = process.env["EITP_PYTHON"];
const prompts = [[72, 101, 108, 108, 111], [0], [32, 116, 104, 101]];
const options = { maxNewTokens: 20 };

/** Loads argv[1], prints each prompt's greedy continuation, and saves the model again to argv[2]. Warnings are errors. */
const script = `
import json, logging, sys, warnings
import torch
import transformers
from transformers import AutoModelForCausalLM
warnings.simplefilter("error")
class Loud(logging.Handler):
    def emit(self, record):
        raise RuntimeError(record.getMessage())
transformers.utils.logging.get_logger("transformers").addHandler(Loud(logging.WARNING))
transformers.utils.logging.disable_progress_bar()
model = AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()
out = []
with torch.no_grad():
    for prompt in json.loads(sys.argv[3]):
        ids = torch.tensor([prompt])
        grown = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False, pad_token_id=0)
        out.append(grown[0][len(prompt):].tolist())
model.save_pretrained(sys.argv[2])
print(json.dumps(out))
`;

beforeAll(() => useBackend("wasm"));

test.skipIf(!python)("transformers continues an exported model as we do, and what it saves is read back (set EITP_PYTHON)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "eitp-hf-"));
  const model = gpt({ ...presets.nano, initStd: 0.3 });
  const params = model.init(counterRng(4));
  const host = await toHostParams(params);
  await saveHuggingFace(join(folder, "ours"), { config: model.config, params: host });

  const printed = execFileSync(python ?? "", ["-c", script, join(folder, "ours"), join(folder, "theirs"), JSON.stringify(prompts)], {
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
  const ours = await generateAll(model, params, prompts, options);
  const texts = ours.map(({ tokens }) => tokens);
  expect(new Set(texts.flat()).size).toBeGreaterThan(5); // not one token for ever
  expect(JSON.parse(printed)).toEqual(texts);

  const theirs = await loadHuggingFace(join(folder, "theirs"));
  expect(theirs).toEqual({ config: model.config, params: host, tokenizerFiles: {}, endOfText: [] });
  const again = await generateAll(gpt(theirs.config), toParams(theirs.params), prompts, options);
  expect(again.map(({ tokens }) => tokens)).toEqual(texts);
});
