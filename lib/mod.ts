// memden for other programs: a server in the own process.

export { startServer } from "./server/server.ts";
