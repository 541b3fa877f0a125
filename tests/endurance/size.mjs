// How much the endurance tests do: as much as fits a test run, or all with VAULT_ENDURANCE=full.

const isFull = process.env.VAULT_ENDURANCE === "full";

/** How often workerd is killed. */
export const KILLS = isFull ? 100 : 10;
/** How long the load lasts, in seconds. */
export const LOAD_SECONDS = isFull ? 60 : 10;
