// What is around a view: the way between views, whose vault it is, and the way out.

import { ArrowLeftRight, LogOut, Moon, Sun, Vault } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { VIEWS, type View, view } from "../model/route";
import { type Session, signOut } from "../model/session";
import { isDark, toggleTheme } from "../model/theme";
import { Icon } from "../ui/icon";
import { Logo } from "../ui/logo";

const ICONS = { credentials: Vault, exchange: ArrowLeftRight };

export function Shell({ session: { account }, children }: { session: Session; children: ComponentChildren }) {
  const content = useRef<HTMLElement>(null);
  // A view that is new starts at its heading, for the keyboard and for the ear.
  useEffect(() => content.current?.querySelector<HTMLElement>("h1")?.focus(), [view.value]);
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), content.current?.focus())}>
        Skip to content
      </a>
      <header class="rail">
        <Logo />
        <nav aria-label="Views">
          {(Object.keys(VIEWS) as View[]).map((name) => (
            <a key={name} href={`#${name}`} aria-current={view.value === name ? "page" : undefined}>
              <Icon of={ICONS[name]} size={18} />
              {VIEWS[name]}
            </a>
          ))}
        </nav>
        <div class="rail-foot">
          <div class="who">
            <span class="who-name">{account.name}</span>
            <span class={`mode mode-${account.mode}`}>{account.mode}</span>
            <code class="who-id">{account.developerId}</code>
          </div>
          <div class="rail-buttons">
            <button type="button" class="rail-button" aria-label={isDark.value ? "Light theme" : "Dark theme"} onClick={toggleTheme}>
              <Icon of={isDark.value ? Sun : Moon} />
            </button>
            <button type="button" class="rail-button rail-out" onClick={() => signOut()}>
              <Icon of={LogOut} />
              <span>Sign out</span>
            </button>
          </div>
        </div>
      </header>
      <div class="stage">
        <main id="content" ref={content} tabIndex={-1}>
          {children}
        </main>
        <footer class="foot">
          <a href="/reference.html">API reference</a>
          <a href="/openapi.json">OpenAPI</a>
          <a href="/health">Health</a>
          <span class="foot-origin">{location.host}</span>
        </footer>
      </div>
    </div>
  );
}
