import protobuf from "protobufjs/light.js";

/** The part of TensorFlow's event.proto, summary.proto and tensor.proto that scalars and text need; field numbers as published there. */
const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { id: 1, type: "double" },
        step: { id: 2, type: "int64" },
        fileVersion: { id: 3, type: "string" },
        summary: { id: 5, type: "Summary" },
        sessionLog: { id: 7, type: "SessionLog" },
      },
    },
    SessionLog: { fields: { status: { id: 1, type: "int32" } } },
    Summary: { fields: { value: { id: 1, type: "SummaryValue", rule: "repeated" } } },
    SummaryValue: {
      fields: {
        tag: { id: 1, type: "string" },
        simpleValue: { id: 2, type: "float" },
        tensor: { id: 8, type: "TextTensor" },
        metadata: { id: 9, type: "SummaryMetadata" },
      },
    },
    SummaryMetadata: { fields: { pluginData: { id: 1, type: "PluginData" } } },
    PluginData: { fields: { pluginName: { id: 1, type: "string" } } },
    TextTensor: {
      fields: {
        dtype: { id: 1, type: "int32" },
        shape: { id: 2, type: "TensorShape" },
        stringValue: { id: 8, type: "bytes", rule: "repeated" },
      },
    },
    TensorShape: { fields: { dim: { id: 2, type: "Dimension", rule: "repeated" } } },
    Dimension: { fields: { size: { id: 1, type: "int64" } } },
  },
});
const eventType = root.lookupType("Event");

/** Values of enums in the published files. */
const sessionStart = 1;
const stringType = 7;

/** One entry of an event file. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  readonly fileVersion?: "brain.Event:2";
  readonly summary?: { readonly value: readonly SummaryValue[] };
  readonly sessionLog?: { readonly status: typeof sessionStart };
}
export type SummaryValue = { readonly tag: string; readonly simpleValue: number } | TextValue;

interface TextValue {
  readonly tag: string;
  readonly tensor: object;
  readonly metadata: object;
}

/** "The run (re)starts at this step": TensorBoard drops what older files of the folder say about later steps. */
export const startMark: { readonly status: typeof sessionStart } = { status: sessionStart };

/** A text for TensorBoard's text tab, read as Markdown. */
export function textValue(tag: string, text: string): SummaryValue {
  return {
    tag: `${tag}/text_summary`,
    metadata: { pluginData: { pluginName: "text" } },
    tensor: { dtype: stringType, shape: { dim: [{ size: 1 }] }, stringValue: [new TextEncoder().encode(text)] },
  };
}

export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  return eventType.encode(eventType.create(event)).finish();
}
