export { activation, activationOf } from "./activation.ts";
