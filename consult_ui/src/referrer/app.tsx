/** The referrer's page: the list, and beside it (on a phone: instead of it) the form, a referral or the call. */

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

import { getJson } from "../lib/api";
import { t, tError } from "../lib/i18n";
import { connectWorklist } from "../lib/live";
import { Button } from "../lib/ui/button";
import { LanguageSwitch } from "../lib/ui/language_switch";
import { Notice } from "../lib/ui/notice";
import { signOut } from "../staff/session";
import type { ReferralList, ReferralView, StaffView } from "../wire/messages";
import { ReferralDetail } from "./referral_detail";
import { ReferralForm } from "./referral_form";
import { ReferralItems } from "./referral_list";
import { Seat } from "./seat";

type Place =
  | { readonly at: "list" }
  | { readonly at: "form" }
  | { readonly at: "referral"; readonly id: string }
  | { readonly at: "call"; readonly id: string; readonly referralId: string };

class ReferrerDesk {
  readonly lists = connectWorklist();
  readonly place = signal<Place>({ at: "list" });
  /** Read over HTTP until the live list arrives, and right after sending. */
  readonly read = signal<readonly ReferralView[] | null>(null);
  readonly error = signal<unknown>(null);
  readonly news = signal<"sent" | "ended" | null>(null);

  constructor() {
    this.lists.on<ReferralList>("referrals", () => {
      this.read.value = null;
    });
    void this.refresh();
  }

  get referrals(): readonly ReferralView[] | null {
    return this.read.value ?? this.lists.referrals.value?.referrals ?? null;
  }

  async refresh(): Promise<void> {
    try {
      this.read.value = (await getJson<ReferralList>("/api/referrals")).referrals;
      this.error.value = null;
    } catch (error) {
      this.error.value = error;
    }
  }
}

export function ReferrerPage({ who }: { who: StaffView }): JSX.Element {
  const desk = useMemo(() => new ReferrerDesk(), []);
  const place = desk.place.value;
  const go = (next: Place): void => {
    desk.place.value = next;
    desk.news.value = null;
  };
  if (place.at === "call") {
    const toReferral = () => go({ at: "referral", id: place.referralId });
    return (
      <Seat
        consultationId={place.id}
        onLeave={toReferral}
        onEnded={() => {
          toReferral();
          desk.news.value = "ended";
        }}
      />
    );
  }
  const referrals = desk.referrals;
  const open = place.at === "referral" ? (referrals?.find((one) => one.referral_id === place.id) ?? null) : null;
  return (
    <div class={`referrer at-${place.at}`}>
      <header class="desk-top">
        <h1 class="brand">TrueHue</h1>
        <span class="desk-who">
          {who.name} · {who.site_name}
        </span>
        <div class="row">
          <LanguageSwitch />
          <Button icon="leave" onClick={() => void signOut()}>
            <span class="top-words">{t("sign_out")}</span>
          </Button>
        </div>
      </header>
      <main class="referrer-body">
        <section class="referrer-list stack" aria-labelledby="list-title">
          <h2 id="list-title">{t("list.title")}</h2>
          <Button kind="primary" icon="plus" onClick={() => go({ at: "form" })}>
            {t("list.new")}
          </Button>
          {desk.error.value !== null && (
            <Notice tone="error">
              <p>{tError(desk.error.value)}</p>
              <Button onClick={() => void desk.refresh()}>{t("action.retry")}</Button>
            </Notice>
          )}
          {referrals === null && desk.error.value === null && <p role="status">{t("progress.working")}</p>}
          {referrals?.length === 0 && <p class="quiet">{t("list.empty")}</p>}
          {referrals && referrals.length > 0 && (
            <ReferralItems
              referrals={referrals}
              open={open?.referral_id ?? null}
              onOpen={(id) => go({ at: "referral", id })}
            />
          )}
        </section>
        <section class="referrer-place" aria-label={t("list.opened")}>
          {desk.news.value === "sent" && (
            <Notice tone="success" title={t("form.sent")}>
              <p>{t("form.sent_next")}</p>
            </Notice>
          )}
          {desk.news.value === "ended" && <Notice tone="info" title={t("seat.ended")} />}
          {place.at === "list" && <p class="quiet referrer-hint">{t("list.choose")}</p>}
          {place.at === "form" && (
            <ReferralForm
              onBack={() => go({ at: "list" })}
              onSent={(referral) => {
                void desk.refresh().then(() => {
                  go({ at: "referral", id: referral.referral_id });
                  desk.news.value = "sent";
                });
              }}
            />
          )}
          {open && (
            <ReferralDetail
              referral={open}
              onBack={() => go({ at: "list" })}
              onJoin={(id) => go({ at: "call", id, referralId: open.referral_id })}
            />
          )}
        </section>
      </main>
    </div>
  );
}
