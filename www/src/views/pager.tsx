// Which part of the list is shown, and the way to the others.

import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight } from "lucide";
import type { Listing } from "../model/listing";
import { Icon } from "../ui/icon";

const SIZES = [25, 50, 100, 250];

export function Pager({ listing }: { listing: Listing }) {
  const { page, pages, pageSize, found } = listing;
  const first = page.value * pageSize.value + 1;
  const last = Math.min(first + pageSize.value - 1, found.value.length);
  const isFirst = page.value === 0;
  const isLast = page.value === pages.value - 1;
  const steps = [
    { label: "First page", icon: ChevronFirst, to: 0, isOff: isFirst },
    { label: "Previous page", icon: ChevronLeft, to: page.value - 1, isOff: isFirst },
    { label: "Next page", icon: ChevronRight, to: page.value + 1, isOff: isLast },
    { label: "Last page", icon: ChevronLast, to: pages.value - 1, isOff: isLast },
  ];
  return (
    <nav class="pager" aria-label="Pages">
      <p aria-live="polite">
        <strong>
          {first.toLocaleString("en")}–{last.toLocaleString("en")}
        </strong>{" "}
        of {found.value.length.toLocaleString("en")}
      </p>
      <label class="pager-size">
        Rows
        <select value={pageSize.value} onChange={({ currentTarget }) => (pageSize.value = Number(currentTarget.value))}>
          {SIZES.map((size) => (
            <option key={size} value={size}>
              {size}
            </option>
          ))}
        </select>
      </label>
      <div class="pager-steps">
        {steps.map(({ label, icon, to, isOff }) => (
          // Not `disabled`: a button that is would lose the focus.
          <button key={label} type="button" class="icon-button" aria-label={label} aria-disabled={isOff} onClick={() => !isOff && listing.goTo(to)}>
            <Icon of={icon} size={18} />
          </button>
        ))}
      </div>
    </nav>
  );
}
