// What the vault is asked for, and what is looked for in its answer.

import { Search, X } from "lucide";
import { useEffect, useId, useState } from "preact/hooks";
import type { Listing } from "../model/listing";
import { fieldNamed } from "../model/check";
import { Field } from "../ui/field";
import { Icon } from "../ui/icon";

const FIELDS = ["principalId", "service"] as const;

export function Filters({ listing }: { listing: Listing }) {
  const { filter, error } = listing;
  const [principalId, setPrincipalId] = useState(filter.value.principalId);
  const [service, setService] = useState(filter.value.service);
  useEffect(() => {
    setPrincipalId(filter.value.principalId);
    setService(filter.value.service);
  }, [filter.value]);
  const names = useId();
  const message = error.value?.code === "BAD_REQUEST" ? error.value.message : "";
  const problem = (field: (typeof FIELDS)[number]) => (fieldNamed(message, FIELDS) === field ? message : undefined);
  const submit = (event: Event) => {
    event.preventDefault();
    void listing.load({ principalId, service: service.trim() });
  };
  return (
    <div class="filters">
      <form class="filters-vault" onSubmit={submit} noValidate>
        <Field label="Principal" problem={problem("principalId")}>
          {({ "aria-required": _, ...attributes }) => (
            <input {...attributes} name="filter-principal" placeholder="Anybody's" autocomplete="off" spellcheck={false} value={principalId} onInput={({ currentTarget }) => setPrincipalId(currentTarget.value)} />
          )}
        </Field>
        <Field label="Service" problem={problem("service")}>
          {({ "aria-required": _, ...attributes }) => (
            <input {...attributes} name="filter-service" placeholder="Any" list={names} autocomplete="off" spellcheck={false} value={service} onInput={({ currentTarget }) => setService(currentTarget.value)} />
          )}
        </Field>
        <datalist id={names}>
          {listing.services.value.slice(0, 50).map((one) => (
            <option key={one.service} value={one.service} />
          ))}
        </datalist>
        <button type="submit" class="button">
          Filter
        </button>
        {listing.isFiltered.value && (
          <button type="button" class="button button-quiet" onClick={listing.clearFilter}>
            <Icon of={X} />
            Clear
          </button>
        )}
      </form>
      <div class="filters-search">
        <Icon of={Search} />
        <input type="search" aria-label="Search in the list" placeholder="Search in the list" autocomplete="off" spellcheck={false} value={listing.search.value} onInput={({ currentTarget }) => listing.searchFor(currentTarget.value)} />
      </div>
    </div>
  );
}
