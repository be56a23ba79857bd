/** Sign-in with e-mail and password; a one-time link arrives here too, and says when it has been used up. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { TextField } from "../lib/ui/field";
import { LanguageSwitch } from "../lib/ui/language_switch";
import { Notice } from "../lib/ui/notice";
import { sessionError, signIn } from "./session";

export function SignIn({ title }: { title: string }): JSX.Element {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    sessionError.value = null;
    try {
      await signIn({ email, password });
    } catch (error) {
      sessionError.value = error;
      setPassword("");
    } finally {
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <div class="sign-in-top">
        <p class="brand">TrueHue</p>
        <LanguageSwitch />
      </div>
      <h1>{t("sign_in.title", { page: title })}</h1>
      {sessionError.value !== null && (
        <Notice tone="error">
          <p>{tError(sessionError.value)}</p>
        </Notice>
      )}
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <TextField label={t("sign_in.email")} type="email" autocomplete="username" required value={email} onInput={setEmail} maxLength={254} />
        <TextField
          label={t("sign_in.password")}
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={setPassword}
          maxLength={256}
        />
        <Button kind="primary" type="submit" busy={busy} onClick={() => undefined}>
          {t("sign_in.submit")}
        </Button>
      </form>
      <p class="quiet">{t("sign_in.link_hint")}</p>
    </main>
  );
}
