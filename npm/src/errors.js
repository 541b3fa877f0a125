// The one error of the package. Everything else that is thrown is a TypeError about an argument.

export class VaultError extends Error {
  /**
   * @param {string} message
   * @param {{code: string, status?: number, requestId?: string, cause?: unknown}} details
   */
  constructor(message, { code, status = 0, requestId, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }

  // On the prototype, as for the errors of the language: not one more property of each error.
  get name() {
    return "VaultError";
  }

  toJSON() {
    const { message, code, requestId } = this;
    return { message, code, requestId };
  }
}

/** What the core threw, as a VaultError. */
export function toVaultError(thrown) {
  if (thrown instanceof VaultError) return thrown;
  if (isFailure(thrown)) {
    const { message, code, status, requestId, reason } = thrown;
    return new VaultError(message, { code, status, requestId: requestId ?? undefined, cause: reason ?? undefined });
  }
  return new VaultError("Something went wrong inside the vault", { code: "INTERNAL_ERROR", status: 500, cause: thrown });
}

/** src/bindings/failure.rs */
function isFailure(thrown) {
  return typeof thrown === "object" && thrown !== null && typeof thrown.code === "string" && typeof thrown.status === "number";
}
