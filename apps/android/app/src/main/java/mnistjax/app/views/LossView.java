package mnistjax.app.views;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Path;
import android.util.AttributeSet;
import android.view.View;
import mnistjax.app.R;

/** The loss of a training as a curve: the first epoch at the left, 0 at the bottom. */
public final class LossView extends View {
    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint axis = new Paint();
    private double[] losses = {};

    /** Is called by the layout. */
    public LossView(Context context, AttributeSet attributes) {
        super(context, attributes);
        float density = getResources().getDisplayMetrics().density;
        line.setStyle(Paint.Style.STROKE);
        line.setStrokeWidth(2 * density);
        line.setColor(context.getColor(R.color.bar));
        axis.setStrokeWidth(density);
        axis.setColor(context.getColor(R.color.edge));
    }

    /** Shows the mean loss of each epoch. */
    public void setLosses(double[] ofEpochs) {
        losses = ofEpochs.clone();
        invalidate();
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        float bottom = getHeight() - line.getStrokeWidth();
        canvas.drawLine(0, bottom, getWidth(), bottom, axis);
        double most = 1e-9;
        for (double loss : losses) {
            most = Math.max(most, loss);
        }
        Path path = new Path();
        for (int i = 0; i < losses.length; i++) {
            float x = losses.length == 1 ? 0 : (float) i / (losses.length - 1) * getWidth();
            float y = bottom - (float) (losses[i] / most) * (bottom - line.getStrokeWidth());
            if (i == 0) {
                path.moveTo(x, y);
            }
            path.lineTo(x, y);
        }
        canvas.drawPath(path, line);
    }
}
