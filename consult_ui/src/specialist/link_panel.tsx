/** Personal links for the patient and an interpreter: as text, as a QR code, by mail. Shown once, kept nowhere. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { sendJson } from "../lib/api";
import { formatDateTime, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { TextField } from "../lib/ui/field";
import { announce } from "../lib/ui/live_region";
import type { LinkRequest, LinkView } from "../wire/messages";

interface LinkPanelProps {
  readonly consultationId: string;
  readonly patientHasEmail: boolean;
  readonly patientPresent: boolean;
}

interface Made {
  readonly role: LinkRequest["role"];
  readonly link: LinkView;
}

export function LinkPanel({ consultationId, patientHasEmail, patientPresent }: LinkPanelProps): JSX.Element {
  const [made, setMade] = useState<Made | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [copied, setCopied] = useState(false);
  const [name, setName] = useState("");
  const [asking, setAsking] = useState(false);

  // Whoever has arrived has the link: it need not stay in sight.
  useEffect(() => {
    if (patientPresent) setMade((shown) => (shown?.role === "patient" ? null : shown));
  }, [patientPresent]);

  const make = async (request: LinkRequest): Promise<void> => {
    setBusy(true);
    setError(null);
    setCopied(false);
    try {
      const link = await sendJson<LinkView>("POST", `/api/consultations/${consultationId}/links`, request);
      setMade({ role: request.role, link });
      setAsking(false);
      announce(link.mailed ? t("link.mailed") : t("link.made"));
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };

  const copy = async (url: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(url);
      setCopied(true);
      announce(t("link.copied"));
    } catch {
      document.querySelector<HTMLInputElement>("#link-url")?.select(); // the browser forbids it: one key is left to press
    }
  };

  return (
    <div class="stack">
      <div class="row">
        <Button busy={busy} onClick={() => void make({ role: "patient" })}>
          {t("link.patient")}
        </Button>
        {patientHasEmail && (
          <Button busy={busy} onClick={() => void make({ role: "patient", send_mail: true })}>
            {t("link.mail")}
          </Button>
        )}
        <Button expanded={asking} onClick={() => setAsking(!asking)}>
          {t("link.interpreter")}
        </Button>
      </div>
      <p class="quiet">{t("link.replaces")}</p>
      {asking && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) void make({ role: "interpreter", name: name.trim() });
          }}
        >
          <TextField label={t("link.interpreter_name")} required maxLength={120} value={name} onInput={setName} />
          <Button type="submit" busy={busy} onClick={() => undefined}>
            {t("link.make")}
          </Button>
        </form>
      )}
      {error !== null && (
        <p class="field-error" role="alert">
          {tError(error)}
        </p>
      )}
      {made && (
        <div class="link-made">
          <p class="strong">{made.role === "patient" ? t("link.for_patient") : t("link.for_interpreter")}</p>
          <input
            id="link-url"
            class="field-control"
            readOnly
            aria-label={t("link.address")}
            value={made.link.url}
            onFocus={(event) => event.currentTarget.select()}
          />
          <div class="row">
            <Button kind="primary" icon={copied ? "check" : undefined} onClick={() => void copy(made.link.url)}>
              {copied ? t("link.copied") : t("link.copy")}
            </Button>
            <Button kind="quiet" onClick={() => setMade(null)}>
              {t("action.close")}
            </Button>
          </div>
          {/* The server drew this code; it is markup, no picture that a strict policy could refuse. */}
          <div class="qr" role="img" aria-label={t("link.qr")} dangerouslySetInnerHTML={{ __html: made.link.qr_svg }} />
          <p class="quiet">
            {made.link.mailed && `${t("link.mailed")} `}
            {t("link.expires", { when: formatDateTime(made.link.expires_at) })}
          </p>
        </div>
      )}
    </div>
  );
}
