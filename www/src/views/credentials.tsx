// What is stored: how much of it, when it expires, and each of it.

import { Plus, RefreshCw } from "lucide";
import type { VaultCredential } from "grant-vault";
import { useEffect, useState } from "preact/hooks";
import type { Session } from "../model/session";
import { Icon } from "../ui/icon";
import { DeleteQuestion } from "./delete-question";
import { Details } from "./details";
import { Filters } from "./filters";
import { ListBody } from "./list-body";
import { StoreForm } from "./store-form";
import { Summary } from "./summary";

/** What is open over the list. */
type Open = { what: "details" | "delete"; credential: VaultCredential } | { what: "store"; credential?: VaultCredential };

export function Credentials({ session }: { session: Session }) {
  const { listing } = session;
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const store = () => setOpen({ what: "store" });
  const isEmpty = listing.state.value === "ready" && listing.credentials.value.length === 0 && !listing.isFiltered.value;
  useEffect(() => {
    if (listing.arrived.value === 0) void listing.load();
  }, []);
  return (
    <>
      <div class="view-head">
        <h1 tabIndex={-1}>Credentials</h1>
        <div class="view-actions">
          <button type="button" class="icon-button icon-button-line" aria-label="Load again" onClick={() => listing.load()} disabled={listing.state.value === "loading"}>
            <Icon of={RefreshCw} />
          </button>
          {!isEmpty && (
            <button type="button" class="button button-main" onClick={store}>
              <Icon of={Plus} />
              Store a credential
            </button>
          )}
        </div>
      </div>
      {!isEmpty && <Summary listing={listing} />}
      <section class="panel" aria-label="List">
        {!isEmpty && <Filters listing={listing} />}
        <ListBody listing={listing} onOpen={(credential) => setOpen({ what: "details", credential })} onStore={store} />
      </section>
      {open?.what === "details" && (
        <Details
          credential={open.credential}
          onClose={close}
          onReplace={() => setOpen({ what: "store", credential: open.credential })}
          onDelete={() => setOpen({ what: "delete", credential: open.credential })}
        />
      )}
      {open?.what === "store" && <StoreForm session={session} replaced={open.credential} onClose={close} />}
      {open?.what === "delete" && <DeleteQuestion session={session} credential={open.credential} onClose={close} />}
    </>
  );
}
