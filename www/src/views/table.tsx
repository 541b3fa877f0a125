// One page of the list. Its roles are spelled out, as a narrow screen shows each row as a card.

import { ArrowDown, ArrowUp } from "lucide";
import type { VaultCredential } from "grant-vault";
import type { Column, Listing } from "../model/listing";
import { Icon } from "../ui/icon";
import { Expiry, Moment } from "../ui/moment";

const COLUMNS: { column: Column; label: string }[] = [
  { column: "service", label: "Service" },
  { column: "principalId", label: "Principal" },
  { column: "credentialType", label: "Type" },
  { column: "tokenExpiresAt", label: "Expiry" },
  { column: "createdAt", label: "Created" },
  { column: "updatedAt", label: "Updated" },
];

export function Table({ listing, onOpen }: { listing: Listing; onOpen: (credential: VaultCredential) => void }) {
  const { order } = listing;
  return (
    <>
      <div class="narrow-sort">
        <label>
          Sort by
          <select value={order.value.column} onChange={({ currentTarget }) => listing.sortBy(currentTarget.value as Column)}>
            {COLUMNS.map(({ column, label }) => (
              <option key={column} value={column}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="icon-button icon-button-line" aria-label={order.value.descending ? "Ascending" : "Descending"} onClick={() => listing.sortBy(order.value.column)}>
          <Icon of={order.value.descending ? ArrowDown : ArrowUp} />
        </button>
      </div>
      <table class="list" role="table" aria-label="Credentials" aria-rowcount={listing.found.value.length + 1}>
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map(({ column, label }) => (
              <Heading key={column} label={label} sort={order.value.column === column ? (order.value.descending ? "descending" : "ascending") : undefined} onSort={() => listing.sortBy(column)} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" onKeyDown={moveAmongRows}>
          {listing.shown.value.map((credential) => (
            <Row key={credential.id} credential={credential} onOpen={() => onOpen(credential)} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Heading({ label, sort, onSort }: { label: string; sort?: "ascending" | "descending"; onSort: () => void }) {
  return (
    <th role="columnheader" scope="col" aria-sort={sort}>
      <button type="button" class="sort" onClick={onSort}>
        {label}
        {sort && <Icon of={sort === "descending" ? ArrowDown : ArrowUp} size={14} />}
      </button>
    </th>
  );
}

function Row({ credential, onOpen }: { credential: VaultCredential; onOpen: () => void }) {
  const { service, principalId, credentialType, tokenExpiresAt, createdAt, updatedAt } = credential;
  // The whole row takes a click; its button is there for the keyboard, and for what reads the page.
  return (
    <tr role="row" onClick={onOpen}>
      <td role="cell" class="cell-service">
        <button type="button" class="row-button" aria-haspopup="dialog" onClick={(event) => (event.stopPropagation(), onOpen())}>
          {service}
          <span class="visually-hidden"> of {principalId}</span>
        </button>
      </td>
      <td role="cell" class="cell-principal">
        <span class="mono clip" title={principalId}>{principalId}</span>
      </td>
      <td role="cell" class="cell-type">
        <span class="clip">{credentialType}</span>
      </td>
      <td role="cell" class="cell-expiry">
        <Expiry at={tokenExpiresAt} isInColumn />
      </td>
      <td role="cell" class="cell-time" data-label="Created">
        <Moment at={createdAt} />
      </td>
      <td role="cell" class="cell-time" data-label="Updated">
        <Moment at={updatedAt} />
      </td>
    </tr>
  );
}

/** The arrow keys go from row to row. */
function moveAmongRows(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".row-button")];
  const next = buttons[buttons.indexOf(document.activeElement as HTMLElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
