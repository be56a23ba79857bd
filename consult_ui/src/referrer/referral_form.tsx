/** One form: the patient, the question, the photos. */

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { language, t, tError } from "../lib/i18n";
import { useAskBeforeLeaving } from "../lib/leaving";
import { Button } from "../lib/ui/button";
import { RadioGroup, Select, TextArea, TextField } from "../lib/ui/field";
import { announce } from "../lib/ui/live_region";
import { Notice } from "../lib/ui/notice";
import { Progress } from "../lib/ui/progress";
import type { Language, ReferralView, SexName, UrgencyName } from "../wire/messages";
import { choosePhotos, type ChosenPhoto, Photos } from "./photos";
import { Sending } from "./sending";

const SEXES: readonly SexName[] = ["female", "male", "other", "unknown"];
const URGENCIES: readonly UrgencyName[] = ["routine", "soon", "urgent"];

interface ReferralFormProps {
  readonly onSent: (referral: ReferralView) => void;
  readonly onBack: () => void;
}

export function ReferralForm({ onSent, onBack }: ReferralFormProps): JSX.Element {
  const sending = useMemo(() => new Sending(), []);
  const [name, setName] = useState("");
  const [birthDate, setBirthDate] = useState("");
  const [sex, setSex] = useState<SexName>("unknown");
  const [speaks, setSpeaks] = useState<Language>(language.peek());
  const [email, setEmail] = useState("");
  const [question, setQuestion] = useState("");
  const [urgency, setUrgency] = useState<UrgencyName>("routine");
  const [photos, setPhotos] = useState<readonly ChosenPhoto[]>([]);
  const [looking, setLooking] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const step = sending.step.value;
  const working = step.phase === "referral" || step.phase === "photo";

  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    if (step.phase !== "sent") return;
    announce(t("form.sent"));
    onSent(step.referral);
  }, [step]);
  useAskBeforeLeaving(() => name !== "" || question !== "" || photos.length > 0);

  const add = async (files: File[]): Promise<void> => {
    setLooking(true);
    const chosen = await choosePhotos(files);
    setPhotos((before) => [...before, ...chosen]);
    setLooking(false);
  };

  const submit = (event: Event): void => {
    event.preventDefault();
    if (working) return;
    const patient = {
      name: name.trim(),
      birth_date: birthDate || null,
      sex,
      language: speaks,
      email: email.trim() || null,
    };
    void sending.send({ patient, question: question.trim(), urgency }, photos);
  };

  const today = new Date().toISOString().slice(0, 10);
  const fixed = step.phase === "failed" && step.referralSent;
  return (
    <form class="referral-form stack" onSubmit={submit}>
      <div class="page-top">
        <Button kind="quiet" icon="arrow_left" onClick={onBack}>
          {t("action.back")}
        </Button>
        <h2 ref={heading} tabIndex={-1}>
          {t("form.title")}
        </h2>
      </div>
      <fieldset class="stack plain" disabled={working || fixed}>
        <TextField label={t("form.name")} required maxLength={120} value={name} onInput={setName} autocomplete="off" />
        <div class="side-by-side">
          <TextField label={t("form.birth_date")} type="date" value={birthDate} onInput={setBirthDate} min="1900-01-01" max={today} />
          <Select
            label={t("form.sex")}
            value={sex}
            options={SEXES.map((value) => ({ value, label: t(`sex.${value}`) }))}
            onChange={(value) => setSex(value as SexName)}
          />
          <Select
            label={t("form.language")}
            value={speaks}
            options={[
              { value: "zh", label: "中文" },
              { value: "en", label: "English" },
            ]}
            onChange={(value) => setSpeaks(value as Language)}
          />
        </div>
        <TextField
          label={t("form.email")}
          hint={t("form.email_hint")}
          type="email"
          maxLength={254}
          value={email}
          onInput={setEmail}
          autocomplete="off"
        />
        <TextArea
          label={t("form.question")}
          hint={t("form.question_hint")}
          required
          rows={5}
          maxLength={4000}
          value={question}
          onInput={setQuestion}
        />
        <RadioGroup
          legend={t("form.urgency")}
          value={urgency}
          options={URGENCIES.map((value) => ({ value, label: t(`form.urgency_${value}`) }))}
          onChange={setUrgency}
        />
      </fieldset>
      <Photos photos={photos} onAdd={(files) => void add(files)} onRemove={(key) => setPhotos(photos.filter((one) => one.key !== key))} />
      {looking && (
        <p class="quiet" role="status">
          {t("photos.looking")}
        </p>
      )}
      {step.phase === "photo" && (
        <Progress
          label={t("form.sending_photo", { number: step.number, count: step.count })}
          done={step.sentBytes}
          total={step.sizeBytes}
        />
      )}
      {step.phase === "failed" && (
        <Notice tone="error" title={step.referralSent ? t("form.photos_failed", { photos: step.photosLeft }) : t("form.failed")}>
          <p>{tError(step.error)}</p>
          <p>{step.referralSent ? t("form.photos_failed_safe") : t("form.failed_safe")}</p>
        </Notice>
      )}
      <Button kind="primary" type="submit" wide busy={working} disabled={looking} onClick={() => undefined}>
        {fixed ? t("form.send_photos") : working ? t("form.sending") : t("form.send")}
      </Button>
    </form>
  );
}
