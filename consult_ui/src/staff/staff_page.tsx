/** The frame of a staff page: nobody, the wrong person, or the page itself for the right one. */

import { effect } from "@preact/signals";
import { type ComponentType, type JSX, render } from "preact";

import { addCatalog, locale, t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { LiveRegion } from "../lib/ui/live_region";
import staffEn from "../i18n/staff.en.json";
import staffZh from "../i18n/staff.zh.json";
import type { StaffView } from "../wire/messages";
import { openSession, signOut, staff } from "./session";
import { SignIn } from "./sign_in";

interface PageProps {
  /** The role that this page is for. */
  readonly role: "specialist" | "referrer";
  readonly titleKey: string;
  /** Where the other role's page is. */
  readonly elsewhere: string;
  readonly Page: ComponentType<{ who: StaffView }>;
}

function Frame({ role, titleKey, elsewhere, Page }: PageProps): JSX.Element {
  const who = staff.value;
  if (who === undefined) {
    return (
      <main class="sign-in">
        <h1>{t(titleKey)}</h1>
        <p role="status">{t("progress.working")}</p>
      </main>
    );
  }
  if (who === null) return <SignIn title={t(titleKey)} />;
  if (who.role !== role) {
    return (
      <main class="sign-in">
        <h1>{t(titleKey)}</h1>
        <p>{t("sign_in.wrong_page", { name: who.name, role: t(`role.${who.role}`) })}</p>
        <a href={elsewhere}>{t("sign_in.right_page")}</a>
        <Button onClick={() => void signOut()}>{t("sign_out")}</Button>
      </main>
    );
  }
  return <Page who={who} />;
}

export function startStaffPage(props: PageProps): void {
  addCatalog({ en: staffEn, zh: staffZh });
  effect(() => {
    document.documentElement.lang = locale.value;
    document.title = `${t(props.titleKey)} · TrueHue`;
  });
  const root = document.getElementById("page");
  if (!root) throw new Error("the page has no place to render into");
  render(
    <>
      <Frame {...props} />
      <LiveRegion />
    </>,
    root,
  );
  void openSession();
}
