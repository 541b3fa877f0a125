// The list in each of its states: on its way, failed, empty, and there.

import { SearchX, Vault } from "lucide";
import type { VaultCredential } from "grant-vault";
import type { Listing } from "../model/listing";
import { Problem } from "../ui/field";
import { Icon } from "../ui/icon";
import { Pager } from "./pager";
import { Table } from "./table";

interface ListBodyProps {
  listing: Listing;
  onOpen: (credential: VaultCredential) => void;
  onStore: () => void;
}

export function ListBody({ listing, onOpen, onStore }: ListBodyProps) {
  const { state, error, credentials, found, filter, search } = listing;
  if (state.value === "loading") return <Loading arrived={listing.arrived.value} />;
  if (state.value === "failed" && error.value) {
    return (
      <div class="blank">
        <Problem error={error.value}>
          <button type="button" class="button" onClick={() => listing.load()}>
            Try again
          </button>
        </Problem>
      </div>
    );
  }
  if (credentials.value.length === 0 && listing.isFiltered.value) {
    const { principalId, service } = filter.value;
    const wanted = [principalId && `principal ${principalId}`, service && `service ${service}`].filter(Boolean).join(" and ");
    return (
      <Blank icon={SearchX} title="Nothing passes the filter" text={`No credential is stored for ${wanted}.`}>
        <button type="button" class="button" onClick={listing.clearFilter}>
          Show everything
        </button>
      </Blank>
    );
  }
  if (credentials.value.length === 0) {
    return (
      <Blank icon={Vault} title="The vault is empty" text="Store a user's token for a service once. An agent whose grant covers it can then exchange its grant for the token, and never holds it before.">
        <button type="button" class="button button-main" onClick={onStore}>
          Store the first one
        </button>
      </Blank>
    );
  }
  if (found.value.length === 0) {
    return (
      <Blank icon={SearchX} title="Nothing found" text={`None of the ${credentials.value.length.toLocaleString("en")} listed credentials has “${search.value.trim()}” in it.`}>
        <button type="button" class="button" onClick={() => listing.searchFor("")}>
          Clear the search
        </button>
      </Blank>
    );
  }
  return (
    <>
      <Table listing={listing} onOpen={onOpen} />
      <Pager listing={listing} />
    </>
  );
}

function Loading({ arrived }: { arrived: number }) {
  return (
    <div class="skeletons" role="status">
      <p class="visually-hidden">Loading the list</p>
      {Array.from({ length: 8 }, (_, index) => (
        <div class="skeleton-row" key={index} aria-hidden="true">
          <span class="skeleton" />
          <span class="skeleton" />
          <span class="skeleton" />
          <span class="skeleton" />
        </div>
      ))}
      {arrived > 0 && <p class="skeleton-count">{arrived.toLocaleString("en")} so far…</p>}
    </div>
  );
}

function Blank({ icon, title, text, children }: { icon: typeof Vault; title: string; text: string; children: preact.ComponentChildren }) {
  return (
    <div class="blank">
      <span class="blank-icon">
        <Icon of={icon} size={24} />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  );
}
