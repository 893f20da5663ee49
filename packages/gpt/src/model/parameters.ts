import type { ParamRef, Params, Rng } from "@eitp/core/spec";
import { EitpError } from "@eitp/engine";
import { mul, ones, type Tensor, tidy, zeros } from "@tensorflow/tfjs-core";
import type { GptConfig } from "./config.ts";

/**
 * Fresh parameters (Radford et al. 2019, §2.3): weights N(0, initStd²), the last layer of each residual branch narrower by √(2·layers) so
 * that the residual stream does not grow with depth, biases 0, layer norms 1 and 0. Each tensor is a function of (rng, its name) alone.
 */
export function initParams(config: GptConfig, refs: readonly ParamRef[], rng: Rng): Params {
  return Object.fromEntries(refs.map((ref) => [ref.name, tidy(() => initial(config, ref, rng))]));
}

function initial(config: GptConfig, { name, shape }: ParamRef, rng: Rng): Tensor {
  if (/ln_(1|2|f)\.weight$/.test(name)) return ones([...shape]);
  // Zero shift starts as the plain model; its gradient Σ δ_t ∘ e_{t−1} does not vanish there, so it trains from the first step.
  if (name.endsWith(".bias") || name === "shift.weight") return zeros([...shape]);
  const std = name.endsWith(".c_proj.weight") ? config.initStd / Math.sqrt(2 * config.layers) : config.initStd;
  return mul(rng.fold(name).normal(shape), std);
}

/**
 * Compares a record with what the model expects; reads shapes only.
 * @throws EitpError "data" naming the first parameter that is missing or has another shape.
 */
export function checkParams(refs: readonly ParamRef[], params: Params): void {
  for (const { name, shape } of refs) {
    const tensor = params[name];
    if (tensor === undefined) {
      throw new EitpError("data", `parameter "${name}" is missing; the model expects [${shape}]. Is the record of another configuration?`);
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      throw new EitpError(
        "data",
        `parameter "${name}" has shape [${tensor.shape}]; the model expects [${shape}]. Check the configuration.`,
      );
    }
  }
}

/** One parameter by name. @throws EitpError "data" where the record lacks it. */
export function parameter(params: Params, name: string): Tensor {
  const tensor = params[name];
  if (tensor === undefined) throw new EitpError("data", `parameter "${name}" is missing from the record`);
  return tensor;
}
