// The credentials of the developer who is signed in: what the vault was asked for, what it answered, and
// which part of that is shown. Filtering is the vault's work; searching, sorting and paging are done here.

import { computed, signal } from "@preact/signals";
import type { VaultClient, VaultCredential, VaultError } from "grant-vault";
import { failure } from "./session";

export type Column = "service" | "principalId" | "credentialType" | "tokenExpiresAt" | "createdAt" | "updatedAt";

export interface Filter {
  principalId: string;
  service: string;
}

export interface Order {
  column: Column;
  descending: boolean;
}

const NO_FILTER: Filter = { principalId: "", service: "" };
const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
/** Columns whose texts are timestamps of one form: their bytes are in order, and that is far quicker. */
const TIMES: Column[] = ["tokenExpiresAt", "createdAt", "updatedAt"];

export class Listing {
  readonly #client: VaultClient;
  #current: AbortController | undefined;

  /** What the vault was asked for. */
  readonly filter = signal(NO_FILTER);
  readonly state = signal<"loading" | "ready" | "failed">("loading");
  readonly error = signal<VaultError | null>(null);
  readonly credentials = signal<VaultCredential[]>([]);
  /** How many have come, while more are on their way. */
  readonly arrived = signal(0);
  readonly loadedAt = signal(Date.now());

  readonly search = signal("");
  readonly order = signal<Order>({ column: "createdAt", descending: true });
  readonly pageSize = signal(50);
  readonly #page = signal(0);

  readonly isFiltered = computed(() => this.filter.value.principalId !== "" || this.filter.value.service !== "");
  readonly found = computed(() => sorted(this.credentials.value.filter(matcher(this.search.value)), this.order.value));
  readonly pages = computed(() => Math.max(1, Math.ceil(this.found.value.length / this.pageSize.value)));
  readonly page = computed(() => Math.min(this.#page.value, this.pages.value - 1));
  readonly shown = computed(() => this.found.value.slice(this.page.value * this.pageSize.value, (this.page.value + 1) * this.pageSize.value));
  readonly services = computed(() => byService(this.credentials.value));

  constructor(client: VaultClient) {
    this.#client = client;
  }

  /** Asks the vault for everything that passes the filter, page after page. A newer call ends an older one. */
  async load(filter = this.filter.value): Promise<void> {
    this.#current?.abort();
    const { signal } = (this.#current = new AbortController());
    this.filter.value = filter;
    this.state.value = "loading";
    this.arrived.value = 0;
    const all: VaultCredential[] = [];
    try {
      let cursor: string | undefined;
      do {
        const page = await this.#client.list({ principalId: filter.principalId || null, service: filter.service || null, cursor }, { signal });
        all.push(...page.credentials);
        cursor = page.nextCursor;
        this.arrived.value = all.length;
      } while (cursor);
      if (signal.aborted) return;
      this.credentials.value = all;
      this.error.value = null;
      this.state.value = "ready";
      this.#page.value = 0;
      this.loadedAt.value = Date.now();
    } catch (error) {
      if (signal.aborted) return;
      this.credentials.value = [];
      this.error.value = failure(error);
      this.state.value = "failed";
    }
  }

  clearFilter = () => this.load(NO_FILTER);

  goTo(page: number): void {
    this.#page.value = Math.max(0, Math.min(page, this.pages.value - 1));
  }

  searchFor(text: string): void {
    this.search.value = text;
    this.#page.value = 0;
  }

  /** Sorts by a column; the same again turns the order round. */
  sortBy(column: Column): void {
    const { order } = this;
    order.value = { column, descending: order.value.column === column ? !order.value.descending : column === "createdAt" || column === "updatedAt" };
    this.#page.value = 0;
  }

  /** Takes in what was stored just now: a list would show it up to a minute later. */
  put(credential: VaultCredential): void {
    const { principalId, service } = this.filter.value;
    const others = this.credentials.value.filter(({ id }) => id !== credential.id);
    const passes = (principalId === "" || principalId === credential.principalId) && (service === "" || service.toLowerCase() === credential.service.toLowerCase());
    this.credentials.value = passes ? [credential, ...others] : others;
  }

  remove(id: string): void {
    this.credentials.value = this.credentials.value.filter((credential) => credential.id !== id);
  }
}

/** Whether a credential has every word of a search somewhere. */
function matcher(search: string): (credential: VaultCredential) => boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return ({ id, service, principalId, credentialType, metadata }) => {
    const text = `${id}\n${service}\n${principalId}\n${credentialType}\n${JSON.stringify(metadata)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

/** In order; what has no value comes last either way. */
function sorted(credentials: VaultCredential[], { column, descending }: Order): VaultCredential[] {
  const sign = descending ? -1 : 1;
  const compare = TIMES.includes(column) ? (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0) : COLLATOR.compare;
  return credentials.toSorted((one, other) => {
    const [a, b] = [one[column], other[column]];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return sign * compare(a, b);
  });
}

/** How many credentials each service has, most first. Spellings that differ in case are one service. */
function byService(credentials: VaultCredential[]): { service: string; count: number }[] {
  const counts = new Map<string, { service: string; count: number }>();
  for (const { service } of credentials) {
    const entry = counts.get(service.toLowerCase()) ?? { service, count: 0 };
    entry.count += 1;
    counts.set(service.toLowerCase(), entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || COLLATOR.compare(a.service, b.service));
}
