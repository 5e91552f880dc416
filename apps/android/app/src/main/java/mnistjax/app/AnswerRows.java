package mnistjax.app;

import android.content.Context;
import android.content.res.Resources;
import android.view.View;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.text.NumberFormat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mnistjax.app.views.BarsView;
import mnistjax.device.Prediction;

/** What models say, one below the other: name, class, bars, time and size. */
final class AnswerRows {
    private final LinearLayout rows;
    private final Resources texts;

    /** Shows them in this view, which has nothing else. */
    AnswerRows(LinearLayout rows) {
        this.rows = rows;
        this.texts = rows.getResources();
    }

    /** Shows these answers in place of those that are there. */
    void show(List<Answer> answers) {
        String most = most(answers);
        while (rows.getChildCount() > answers.size()) {
            rows.removeViewAt(rows.getChildCount() - 1);
        }
        for (int i = 0; i < answers.size(); i++) {
            if (i == rows.getChildCount()) {
                rows.addView(new Row(rows.getContext()));
            }
            ((Row) rows.getChildAt(i)).show(answers.get(i), most);
        }
    }

    /** Returns all of that in one sentence, for a screen reader and for those in a hurry. */
    String summary(List<Answer> answers) {
        Map<String, Integer> votes = votes(answers);
        if (votes.isEmpty()) {
            return answers.isEmpty() ? "" : answers.get(0).error;
        }
        String first = votes.keySet().iterator().next();
        int count = votes.values().iterator().next();
        if (votes.size() == 1) {
            return count == 1
                    ? texts.getString(R.string.one_says, first)
                    : texts.getString(R.string.all_say, count, first);
        }
        List<String> each = new ArrayList<>();
        for (Answer answer : answers) {
            if (answer.best() != null) {
                each.add(texts.getString(R.string.says, answer.model, answer.best().label()));
            }
        }
        return texts.getString(R.string.disagree, String.join(", ", each));
    }

    /** Returns the class that most models say; null where none says anything. */
    static String most(List<Answer> answers) {
        String most = null;
        Map<String, Integer> votes = votes(answers);
        for (String label : votes.keySet()) {
            most = most == null || votes.get(label) > votes.get(most) ? label : most;
        }
        return most;
    }

    private static Map<String, Integer> votes(List<Answer> answers) {
        Map<String, Integer> votes = new LinkedHashMap<>();
        for (Answer answer : answers) {
            Prediction best = answer.best();
            if (best != null) {
                votes.merge(best.label(), 1, Integer::sum);
            }
        }
        return votes;
    }

    /** One of them. */
    private static final class Row extends LinearLayout {
        private final TextView title;
        private final BarsView bars;
        private final TextView cost;

        Row(Context context) {
            super(context);
            setOrientation(VERTICAL);
            int gap = (int) (8 * getResources().getDisplayMetrics().density);
            setPadding(0, gap, 0, gap);
            setFocusable(true);
            title = new TextView(context);
            title.setTextAppearance(android.R.style.TextAppearance_Material_Body2);
            bars = new BarsView(context);
            cost = new TextView(context);
            addView(title);
            addView(bars);
            addView(cost);
        }

        void show(Answer answer, String most) {
            Context context = getContext();
            boolean isThere = answer.predictions != null;
            bars.setVisibility(isThere ? View.VISIBLE : View.GONE);
            cost.setVisibility(isThere && answer.bytes > 0 ? View.VISIBLE : View.GONE);
            if (!isThere) {
                title.setText(context.getString(R.string.error_model, answer.model, answer.error));
                title.setTextColor(context.getColor(R.color.warn));
                setContentDescription(title.getText());
                return;
            }
            Prediction best = answer.best();
            boolean differs = !best.label().equals(most);
            Locale locale = Locale.getDefault();
            String percent = String.format(locale, "%.1f", 100 * best.probability());
            String name = answer.model.isEmpty() ? "" : answer.model + ": ";
            int form = differs ? R.string.differs : R.string.answer;
            title.setText(name + context.getString(form, best.label(), percent));
            title.setTextColor(context.getColor(differs ? R.color.warn : R.color.ink));
            bars.setPredictions(answer.predictions);
            String time = String.format(locale, "%.0f", answer.microseconds);
            String bytes = NumberFormat.getInstance(locale).format(answer.bytes);
            String text = context.getString(R.string.cost, time, bytes);
            if (!Double.isNaN(answer.accuracy)) {
                String right = String.format(locale, "%.2f", 100 * answer.accuracy);
                text += context.getString(R.string.accuracy, right);
            }
            cost.setText(text);
            cost.setTextColor(context.getColor(R.color.hint));
            setContentDescription(
                    title.getText() + (cost.getVisibility() == View.VISIBLE ? ", " + text : ""));
        }
    }
}
