// The mark, as in public/favicon.svg, and the name beside it.

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-plate" width="32" height="32" rx="8" />
      <g class="mark-lines" fill="none" stroke-width="2.5" stroke-linecap="round">
        <path d="M23.6 11.6A9 9 0 1 0 25 16" />
        <path d="M16 16h9" />
      </g>
      <circle class="mark-hub" cx="16" cy="16" r="3" />
    </svg>
  );
}

export function Logo() {
  return (
    <span class="logo">
      <Mark />
      <span class="logo-name">
        grant<span class="logo-hyphen">-</span>vault
      </span>
    </span>
  );
}
