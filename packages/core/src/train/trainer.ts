import { counterRng, EitpError, repairAutodiff } from "@eitp/engine";
import { add, keep, mul, scalar, sqrt, type Tensor, tidy, zerosLike } from "@tensorflow/tfjs-core";
import type { HostBatch, Params, Saved, StepRecord } from "../spec/index.ts";
import { batchTensors, checkBatch } from "./batch.ts";
import { guarded, judge, type Verdict } from "./guard.ts";
import { dot, type Gradients, ledgerOf } from "./ledger.ts";
import { checkTrainerOptions, type TrainerOptions } from "./options.ts";
import { runPass } from "./pass.ts";
import { type HealthRecord, readRecord } from "./record.ts";
import { activeAt, arrange, checkControllers, checkReads, needsOf, type Slot, sharesOf, weightAt } from "./slots.ts";
import { controllersOf, initialState, type TrainerState } from "./state.ts";
import { Sums } from "./sums.ts";
import { adopt, decodeTree, disposeExcept, type EncodedTree, encodeTree, owned } from "./tree.ts";
import { moveTerm } from "./update.ts";

/** A run between two steps, on the host: all that going on needs. */
export interface SavedRun extends EncodedTree {
  /** Steps completed. */
  readonly step: number;
  /** Where the data continues. */
  readonly cursor: Saved;
}
/** A run one step at a time. `train` is this with evaluation, checkpoints, hooks and the end of the run. */
export interface Trainer {
  /** Steps completed. */
  readonly completed: number;
  readonly params: Params;
  /** Where the data continues. */
  readonly cursor: Saved;
  /**
   * One optimiser step. Its record is read asynchronously: await it when it is wanted.
   * @throws whatever a term throws in `evaluate` (nothing has changed then), or EitpError "data" for a batch that does not fit the model.
   */
  step(): Promise<{ readonly record: Promise<HealthRecord> }>;
  /** State of a use, as its term sees it. */
  stateOf(use: string): Saved;
  /** The next step's passes with the ledger, changing nothing: which losses and gradients are not finite? */
  diagnose(): Promise<StepRecord>;
  /** Puts counter and cursor back; parameters and states stay. For replaying a step that changed nothing. */
  rewind(at: { readonly step: number; readonly cursor: Saved }): void;
  /** Reads everything that going on needs; asynchronous, between two steps. */
  save(): Promise<SavedRun>;
  /** @throws EitpError "data" where the saved run does not fit, naming the path; the trainer is then unchanged. */
  load(saved: SavedRun): void;
  /** Hands the parameters over to the caller and releases everything else. */
  release(): Params;
  /** Releases everything, parameters included unless `release` gave them away. */
  dispose(): void;
}

/**
 * A trainer at step 0. Needs a backend (`useBackend`). Whoever wants evaluation, checkpoints and a loop calls `train`.
 * @throws EitpError "usage" for options or terms that do not fit each other or the model.
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  checkTrainerOptions(options);
  repairAutodiff();
  const { model, dataset, optimizer, microBatches = 1, ledgerEvery = 100, ledgerReference = "ce" } = options;
  const { transforms = [], now = () => performance.now() } = options;
  const slots = arrange(options.terms, model);
  const controllers = controllersOf(slots);
  checkControllers(controllers, slots);
  const normed = new Set(
    controllers.flatMap((c) => c.reads.filter((r) => r.endsWith(".gradientNorm")).map((r) => r.slice(0, r.lastIndexOf(".")))),
  );
  const holds = (slot: Slot): boolean => slot.use.between === "hold";
  const root = counterRng(options.seed);
  let cursor: Saved = dataset.start(root.fold("data"));
  let completed = 0;
  let state = initialState(options, slots, (await dataset.next(cursor)).batch);
  let healthy: Tensor = keep(scalar(true, "bool"));

  /** The part of a step that only looks: forward and backward passes. Inside a tidy. */
  const look = (step: number, batches: readonly HostBatch[], wantLedger: boolean): Looked => {
    const params = Object.values(state.params);
    const active = activeAt(slots, step);
    // A weight on the device is cloned: the record is made after its controller has moved on.
    const weights = new Map(slots.map((slot) => [slot, cloned(weightAt(slot, step, state.controllers))] as const));
    const sums = new Sums(params.length);
    const rng = root.fold("step").fold(step);
    const request = {
      uses: slots,
      step,
      params,
      now,
      stateOf: ({ key }: Slot) => state.terms[key]?.state ?? null,
      weightOf: (slot: Slot) => weights.get(slot) ?? 0,
      alone: (slot: Slot) => wantLedger || holds(slot) || normed.has(slot.key) || maySkip(slot, weights),
      apart: holds,
    };

    // Every share is known before the first forward, or one backward could not serve all terms.
    const shares = new Map(active.map((slot) => [slot, sharesOf(slot, batches)] as const));
    const onData = active.filter((slot) => slot.onData);
    batches.forEach((batch, micro) => {
      if (onData.length === 0) return;
      const inner = rng.fold(micro);
      const ids = batchTensors(batch);
      const supply = () => model.apply(state.params, ids, needsOf(onData), { training: true, rng: inner.fold("model") });
      sums.add(runPass({ ...request, slots: onData, supply, rng: inner, shareOf: (slot) => shares.get(slot)?.[micro] ?? 0 }));
    });

    const onParams = active.filter((slot) => slot.pass === "params");
    const structure = model.structure;
    const supply = () => ({ params: state.params, ...(structure !== undefined && { structure }) });
    if (onParams.length > 0) sums.add(runPass({ ...request, slots: onParams, supply, rng: rng.fold("params"), shareOf: () => 1 }));

    // Held gradients are remembered at weight 1 and added by hand, in name order, also on the steps between.
    let gradients = sums.gradients;
    for (const slot of slots.filter(holds)) {
      const weight = weights.get(slot) ?? 0;
      const last = sums.alone.get(slot.key)?.gradients ?? state.terms[slot.key]?.held ?? [];
      if (weight !== 0) gradients = gradients.map((g, i) => plus(g, last[i] ?? null, weight));
    }
    return { active, weights, sums, gradients, norm2: dot(gradients, gradients) };
  };

  /** The part of a step that moves: gradient chain, optimiser, terms, controllers; all guarded by one flag on the device. Inside a tidy. */
  const move = (step: number, { active, weights, sums, gradients: found, norm2 }: Looked): Verdict => {
    const included = active.flatMap((slot) => {
      const loss = sums.values.get(`${slot.key}.loss`);
      if (weights.get(slot) === 0 || loss === undefined) return [];
      return [{ slot, loss, own: sums.own.get(slot.key) ?? [], alone: sums.alone.get(slot.key)?.gradients ?? [] }];
    });
    const features = Object.fromEntries(sums.features);
    for (const [key, alone] of sums.alone)
      if (normed.has(key)) features[`${key}.gradientNorm`] = sqrt(dot(alone.gradients, alone.gradients));
    if (step === 0) checkReads(controllers, features);

    const verdict = judge(included, norm2, healthy);
    const { ok } = verdict;
    const params = Object.values(state.params);

    const terms = { ...state.terms };
    for (const slot of active) terms[slot.key] = moveTerm(slot, state.terms[slot.key] ?? noMemory, sums, { step, ok });
    const controls = { ...state.controllers };
    // A controller holds still on steps that lack something it reads.
    for (const c of controllers.filter((c) => c.reads.every((read) => features[read] !== undefined)))
      controls[c.name] = guarded(ok, controls[c.name] ?? null, c.observe(features, controls[c.name] ?? null));

    let gradients: readonly Tensor[] = found.map((g, i) => g ?? zerosLike(params[i] as Tensor));
    const chained = transforms.map((transform, i) => {
      const before = state.transforms[i] ?? null;
      const after = transform.apply(gradients, before, params);
      // Released at once: two sets of gradients are the largest thing in a step.
      disposeExcept(gradients, after.gradients, after.state);
      gradients = after.gradients;
      return guarded(ok, before, after.state);
    });

    // One tensor at a time: the old values go before the next is touched, so that memory peaks at one tensor more, not at all of them.
    const moved: { [name: string]: Tensor } = { ...state.params };
    const moments = [...state.moments];
    Object.keys(moved).forEach((name, i) => {
      tidy(() => {
        const before = [moved[name] as Tensor, moments[i] ?? null] as const;
        const after = optimizer.step(before[0], gradients[i] as Tensor, before[1], { count: step + 1, step, name });
        const [parameter, moment] = adopt(before, guarded(ok, before, [after.parameter, after.state] as const));
        moved[name] = parameter;
        moments[i] = moment;
      });
      gradients[i]?.dispose();
    });
    const next = { params: moved, moments, transforms: chained, terms, controllers: controls };
    state = adopt({ transforms: state.transforms, terms: state.terms, controllers: state.controllers }, next);
    return verdict;
  };

  const report = (step: number, { active, weights, sums, norm2 }: Looked, verdict: Verdict, wantLedger: boolean): Promise<HealthRecord> => {
    const entries = active.flatMap(({ key }, i) => {
      const alone = wantLedger ? sums.alone.get(key) : undefined;
      const weight = weights.get(active[i] as Slot) ?? 0;
      return alone === undefined ? [] : [{ key, ms: alone.ms, gradients: alone.gradients.map((g) => g && mul(g, weight)) }];
    });
    const rate = optimizer.learningRate?.(step);
    return readRecord({
      step: step + 1,
      scalars: new Map([["ok", verdict.ok], ["healthy", verdict.healthy], ["gradient.norm", sqrt(norm2)], ...sums.values]),
      weights: new Map(active.map((slot) => [slot.key, weights.get(slot) ?? 0])),
      ledger: ledgerOf(entries, ledgerReference),
      extra: rate === undefined ? {} : { learningRate: rate },
    });
  };

  const fetchBatches = async (): Promise<{ readonly batches: readonly HostBatch[]; readonly after: Saved }> => {
    const batches: HostBatch[] = [];
    let after = cursor;
    for (let i = 0; i < microBatches; i++) {
      const got = await dataset.next(after);
      checkBatch(got.batch, model.shape.vocabulary);
      batches.push(got.batch);
      after = got.cursor;
    }
    return { batches, after };
  };
  /** Runs `f` in a tidy although it returns a promise: all device work of `f` is synchronous. */
  const tidied = <R>(f: () => R): R => {
    const made: { result?: R } = {};
    tidy(() => {
      made.result = f();
    });
    return made.result as R;
  };

  return {
    get completed() {
      return completed;
    },
    get params() {
      return state.params;
    },
    get cursor() {
      return cursor;
    },
    step: async () => {
      const { batches, after } = await fetchBatches();
      const wantLedger = ledgerEvery > 0 && completed % ledgerEvery === 0;
      const record = tidied(() => {
        const looked = look(completed, batches, wantLedger);
        const verdict = move(completed, looked);
        healthy = adopt(healthy, verdict.healthy.clone());
        return report(completed, looked, verdict, wantLedger);
      });
      completed++;
      cursor = after;
      return { record };
    },
    diagnose: async () => {
      const { batches } = await fetchBatches();
      return await tidied(() => {
        const looked = look(completed, batches, true);
        for (const [key, own] of looked.sums.own) looked.sums.values.set(`${key}.ownGradientNorm`, sqrt(dot(own, own)));
        return report(completed, looked, judge([], looked.norm2, healthy), true);
      });
    },
    stateOf: (use) => {
      const memory = state.terms[use];
      if (memory === undefined) throw new EitpError("usage", `no use is named '${use}' (uses: ${Object.keys(state.terms).join(", ")})`);
      return memory.state;
    },
    rewind: ({ step, cursor: at }) => {
      completed = step;
      cursor = at;
    },
    save: async () => ({ ...(await encodeTree(state)), step: completed, cursor }),
    load: (saved) => {
      const next = owned((): TrainerState => decodeTree(state, saved));
      disposeExcept(state, next);
      state = next;
      completed = saved.step;
      cursor = saved.cursor;
      healthy = adopt(healthy, scalar(true, "bool"));
    },
    release: () => {
      const { params } = state;
      disposeExcept(state, params);
      state = { params: {}, moments: [], transforms: [], terms: {}, controllers: {} };
      return params;
    },
    dispose: () => {
      disposeExcept(state);
      if (!healthy.isDisposed) healthy.dispose();
    },
  };
}

interface Looked {
  readonly active: readonly Slot[];
  readonly weights: ReadonlyMap<Slot, number | Tensor>;
  readonly sums: Sums;
  readonly gradients: Gradients;
  /** Squared global norm of the gradient, before transforms; rank 0. */
  readonly norm2: Tensor;
}
const noMemory = { state: null, own: { count: 0, moments: [] }, held: [] } as const;
/** Whether to skip a step for this use is told from its gradient, which takes a backward of its own. */
const maySkip = (slot: Slot, weights: Looked["weights"]): boolean => slot.use.onNonFinite === "skip" && weights.get(slot) !== 0;
const cloned = (weight: number | Tensor): number | Tensor => (typeof weight === "number" ? weight : weight.clone());
function plus(g: Tensor | null, more: Tensor | null, weight: number | Tensor): Tensor | null {
  if (more === null) return g;
  return g === null ? mul(more, weight) : add(g, mul(more, weight));
}
