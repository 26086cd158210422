import type { Given } from "../command_line.ts";
export async function runTop(_: Given) {
  return 0;
}
