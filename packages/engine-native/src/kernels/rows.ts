import { EitpError } from "@eitp/engine/error";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { bytesOf } from "../data.ts";
import { replace, typeNumbers } from "./define.ts";

type T = TensorInfo;

/** Rows of a table by index, and its gradient. */
export function registerRows(): void {
  replace<{ x: T; indices: T }, { axis: number; batchDims: number }>("GatherV2", (stock) => (call) => {
    const { x, indices } = call.inputs;
    const plain = call.attrs.axis === 0 && call.attrs.batchDims === 0 && typeNumbers[x.dtype] !== undefined;
    if (!plain || indices.dtype !== "int32") return stock(call);
    const { backend } = call;
    const rows = x.shape[0] as number;
    const rest = x.shape.slice(1);
    const out = backend.output([...indices.shape, ...rest], x.dtype);
    const [table, ids, to] = [x, indices, out].map((t) => backend.address(t)) as [number, number, number];
    const width = util.sizeFromShape(rest) * bytesOf(x.dtype);
    const bad = backend.call(backend.numberOf("gather"), rows, width, util.sizeFromShape(indices.shape), table, ids, to);
    if (bad === 0) return out;
    backend.disposeData(out.dataId);
    throw new EitpError("data", `gather: the index at place ${bad - 1} is outside 0 … ${rows - 1}`);
  });
  replace<{ x: T; segmentIds: T }, { numSegments: number }>("UnsortedSegmentSum", (stock) => (call) => {
    const { x, segmentIds } = call.inputs;
    const { numSegments } = call.attrs;
    if (x.dtype !== "float32" || segmentIds.dtype !== "int32" || segmentIds.shape.length !== 1) return stock(call);
    const { backend } = call;
    const rest = x.shape.slice(1);
    const out = backend.output([numSegments, ...rest], "float32");
    const at = [x, segmentIds, out].map((t) => backend.address(t));
    const bad = backend.call(backend.numberOf("segmentSum"), x.shape[0] as number, util.sizeFromShape(rest), numSegments, ...at);
    if (bad === 0) return out;
    backend.disposeData(out.dataId);
    throw new EitpError("data", `unsortedSegmentSum: row ${bad - 1} has a segment beyond ${numSegments - 1}`);
  });
}
